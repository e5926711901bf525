// Operators for CUDA beside those for the CPU without asking for a device: what a runtime without
// that provider makes of them. No node can be placed there, so none is ever made.

#include <stdexcept>

#include "cpu/cpu_node.h"
#include "library/backends.h"

namespace onnx_acts {
namespace {

AnyNode* RefuseNode(const OpSpec&, Element, const ort::Api*, const ort::KernelInfo*) {
  throw std::logic_error("a node was placed on CUDA");
}

}  // namespace

const BackendList& Backends() {
  static const BackendList backends = {
      {{"CPUExecutionProvider", MakeNode<CpuNode>}, {"CUDAExecutionProvider", RefuseNode}}, 2};
  return backends;
}

CudaInfo DescribeCuda() { return {"registered without a device, for tests", {}}; }

}  // namespace onnx_acts
