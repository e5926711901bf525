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

// ---- What kernels see

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned size = 1) : x(size), y(1), z(1) {}
};

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

inline thread_local dim3 gridDim, blockDim, blockIdx, threadIdx;

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
  cudaStream_t stream;
};

namespace host_cuda {

// What the template below does.
using Work = std::function<void()>;
cudaError_t Launch(const Work& thread, const cudaLaunchConfig_t& config);

}  // namespace host_cuda

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               const Arguments&... arguments) {
  const onnx_acts::fake::Inside inside;
  const std::tuple<Parameters...> copies(arguments...);
  return host_cuda::Launch([=] { std::apply(kernel, copies); }, *config);
}

#endif  // ONNX_ACTS_TESTS_CUDA_RUNTIME_H_
