// A node of a session, whatever it computes: what the runtime's callbacks need of it.
#ifndef ONNX_ACTS_ANY_NODE_H_
#define ONNX_ACTS_ANY_NODE_H_

#include "ort/ort_abi.h"

namespace onnx_acts {

// Its results do not change after construction: any number of threads may run it at once.
class AnyNode {
 public:
  explicit AnyNode(const ort::Api* api) : api_(api) {}
  virtual ~AnyNode() = default;
  AnyNode(const AnyNode&) = delete;
  AnyNode& operator=(const AnyNode&) = delete;

  virtual void Compute(ort::KernelContext* context) const = 0;

  const ort::Api* api() const { return api_; }

 protected:
  const ort::Api* api_;
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_ANY_NODE_H_
