// loop_cuda.cu on the host: host_cuda/cuda_runtime.h takes the place of CUDA's.

#include "cuda/loop_cuda.cu"

namespace onnx_acts {
namespace {

// What SharedLookup declares.
thread_local uint4 block_memory[kTableBytes / sizeof(uint4)];

const bool said = [] {
  host_cuda::shared_memory = {[]() -> void* { return block_memory; }, sizeof block_memory};
  return true;
}();

}  // namespace
}  // namespace onnx_acts
