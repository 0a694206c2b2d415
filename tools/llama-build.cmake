# Read by CMake while pip builds llama-cpp-python (tools/setup.sh).

# The library of llama.cpp's command-line tools: 55 of 140 files, half of the compile time, and
# nothing in the Python package uses it. llama-cpp-python forces the cache variable on; a normal
# variable goes before that.
set(LLAMA_BUILD_COMMON OFF)

# libllama only drives the kernels (ggml-cpu, which stay at -O3): -O1 compiles it in two thirds
# of the time, and answers come as fast.
cmake_language(DEFER CALL target_compile_options llama PRIVATE -O1)

# GCC before 12.4 and 13.3 compiles _tile_loadconfig wrongly (PR 114098): on processors with AMX
# the first prompt ends in a segmentation fault. AMX would also keep a second copy of the weights.
include(CheckCCompilerFlag)
check_c_compiler_flag(-mno-amx-tile RAG_KNOWS_AMX)
if(RAG_KNOWS_AMX)
    cmake_language(DEFER CALL target_compile_options ggml-cpu PRIVATE
        -mno-amx-tile -mno-amx-int8 -mno-amx-bf16)
endif()
