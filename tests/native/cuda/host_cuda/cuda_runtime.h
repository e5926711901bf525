// CUDA's runtime on the host, as far as the library calls it (controls.h has what tests call
// besides): blocks and their threads run one after
// another, streams at once. loop_cuda.cu compiles against this where there is no GPU, so that a
// test can let every call fail, and see what a kernel call asks of the runtime while a graph is
// captured.
#ifndef ONNX_ACTS_TESTS_CUDA_RUNTIME_H_
#define ONNX_ACTS_TESTS_CUDA_RUNTIME_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>

#include "fakes/inside.h"

#define __global__
#define __launch_bounds__(threads)
#define __grid_constant__
#define __shared__ thread_local

// ---- What kernels see

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned size = 1) : x(size), y(1), z(1) {}
};

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

inline thread_local dim3 gridDim, blockDim, blockIdx, threadIdx;

// A block's threads run up to their first barrier, one after another, then all again from the start
// up to the second, and so on: what they do before a barrier must bear repeating.
void __syncthreads();

// ---- Errors

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInitializationError = 3,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorLaunchOutOfResources = 701,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureImplicit = 906,
};

const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();

// ---- Devices

enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
};

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* number);
cudaError_t cudaSetDevice(int number);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number);

// ---- Memory

enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
};

using cudaStream_t = struct CUstream_st*;

cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

// ---- Kernels

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
};

namespace host_cuda {

// Set by the source whose kernels have shared memory: the address of the calling thread's, and how
// many bytes there are.
struct SharedMemory {
  void* (*address)() = nullptr;
  std::size_t bytes = 0;
};
inline SharedMemory shared_memory;

// What the templates below do.
using Work = std::function<void()>;
cudaError_t Launch(const Work& thread, const void* kernel, const cudaLaunchConfig_t& config);
cudaError_t ReserveShared(const void* kernel, int bytes);
cudaError_t CountBlocks(int* blocks, const void* kernel, int threads, std::size_t shared);

}  // namespace host_cuda

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

template <class... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute, int value) {
  return host_cuda::ReserveShared(reinterpret_cast<const void*>(kernel), value);
}

template <class... Parameters>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                          void (*kernel)(Parameters...),
                                                          int threads, std::size_t shared) {
  return host_cuda::CountBlocks(blocks, reinterpret_cast<const void*>(kernel), threads, shared);
}

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               const Arguments&... arguments) {
  const onnx_acts::fake::Inside inside;
  const std::tuple<Parameters...> copies(arguments...);
  return host_cuda::Launch([=] { std::apply(kernel, copies); },
                           reinterpret_cast<const void*>(kernel), *config);
}

#endif  // ONNX_ACTS_TESTS_CUDA_RUNTIME_H_
