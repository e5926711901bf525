// A library for the CPU alone.

#include "cpu/cpu_node.h"
#include "library/backends.h"

namespace onnx_acts {

const BackendList& Backends() {
  static const BackendList backends = {{{"CPUExecutionProvider", MakeNode<CpuNode>}}, 1};
  return backends;
}

CudaInfo DescribeCuda() {
  return {"this library was built without CUDA; build onnx-acts from source where nvcc is", {}};
}

}  // namespace onnx_acts
