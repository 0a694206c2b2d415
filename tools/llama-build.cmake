# Read by CMake while pip builds llama-cpp-python (tools/setup.sh); halves the build.

# The command-line tools' library: 55 of 140 files, and nothing in the Python package uses it.
# llama-cpp-python forces the cache variable on; a normal variable goes before that.
set(LLAMA_BUILD_COMMON OFF)

# libllama only drives the kernels (ggml-cpu, still -O3): -O1 compiles it in two thirds of the
# time, and answers come as fast.
cmake_language(DEFER CALL target_compile_options llama PRIVATE -O1)
