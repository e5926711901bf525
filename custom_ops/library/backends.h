// Who computes: the execution providers that the operators are registered for.
#ifndef ONNX_ACTS_BACKENDS_H_
#define ONNX_ACTS_BACKENDS_H_

#include <string>
#include <vector>

#include "ort/node.h"

namespace onnx_acts {

using NodeMaker = AnyNode* (*)(const OpSpec&, Element, const ort::Api*, const ort::KernelInfo*);

struct Backend {
  const char* provider;
  NodeMaker make_node;
};

constexpr std::size_t kMaxBackends = 2;

struct BackendList {
  Backend items[kMaxBackends];
  std::size_t count;

  const Backend* begin() const { return items; }
  const Backend* end() const { return items + count; }
};

// Those of this process, the CPU first; decided once.
const BackendList& Backends();

// What `onnx-acts info` says about CUDA.
struct CudaInfo {
  std::string error;                       // why the operators do not run on CUDA; empty if they do
  std::vector<std::string> architectures;  // compute capabilities that there is machine code for
};
CudaInfo DescribeCuda();

template <class NodeType>
AnyNode* MakeNode(const OpSpec& spec, Element element, const ort::Api* api,
                  const ort::KernelInfo* info) {
  return new NodeType(spec, element, api, info);
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_BACKENDS_H_
