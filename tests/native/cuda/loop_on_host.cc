// loop_cuda.cu on the host: host_cuda/cuda_runtime.h takes the place of CUDA's.

#include "cuda/loop_cuda.cu"
