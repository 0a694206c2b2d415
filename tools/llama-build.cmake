# Read by CMake while pip builds llama-cpp-python (tools/setup.sh).

# The library of llama.cpp's command-line tools: 55 of 140 files, half of the compile time, and
# nothing in the Python package uses it. llama-cpp-python forces the cache variable on; a normal
# variable goes before that.
set(LLAMA_BUILD_COMMON OFF)

# libllama only drives the kernels (ggml-cpu, which stay at -O3): -O1 compiles it in two thirds
# of the time, and answers come as fast.
cmake_language(DEFER CALL target_compile_options llama PRIVATE -O1)

# Some versions of GCC compile _tile_loadconfig wrongly: on processors with AMX the first prompt would
# end in a segmentation fault.
set(RAG_AMX_HEADER "${CMAKE_CURRENT_LIST_DIR}/amx.h") # a deferred call sees another folder
cmake_language(DEFER CALL target_compile_options ggml-cpu PRIVATE
    "$<$<COMPILE_LANGUAGE:C,CXX>:SHELL:-include \"${RAG_AMX_HEADER}\">")
