/* Put before every file of ggml-cpu (tools/llama-build.cmake).
 *
 * GCC before 11.5, 12.4 and 13.3 takes 8 of the 64 bytes of an AMX tile configuration as read, and
 * drops the stores to the others (GCC bug 114098): the first product faults. Here it is told all 64,
 * as later compilers do by themselves. rag.llm.amx finds the note in the library. */
#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#undef _tile_loadconfig
#define _tile_loadconfig(config) \
    __asm__ volatile("ldtilecfg\t%X0" : : "m"(*(const char(*)[64])(config)))
__asm__(".ident \"rag: AMX tile configuration read whole\"");
#endif
