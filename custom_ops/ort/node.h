// One node of a session: its checked parameters and its tensors. What computes is in the classes
// derived from it, one for each device.
#ifndef ONNX_ACTS_NODE_H_
#define ONNX_ACTS_NODE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "activations/broadcast.h"
#include "activations/op.h"
#include "ort/ort_abi.h"

namespace onnx_acts {

class Attributes;
class Shape;

// Its results do not change after construction: any number of threads may run it at once.
class Node {
 public:
  // Throws InvalidArgument where the node's attributes are refused.
  Node(const OpSpec& spec, Element element, const ort::Api* api, const ort::KernelInfo* info);
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void Compute(ort::KernelContext* context) const;

  const ort::Api* api() const { return api_; }

 protected:
  // Pointers to elements [0, count) of the tensors of one call.
  struct Call {
    ort::KernelContext* context;
    const char* x;
    char* y;
    char* noise;  // null where the node has no such output
    int64_t count;
  };

  // y = f(x, parameter). In all three, y may be x and count is at least 1.
  virtual void ComputeUniform(const Call& call) const = 0;
  // PReLU.
  virtual void ComputeSlopes(const Call& call, const SlopeLayout& layout,
                             const char* slopes) const = 0;
  // Y and noise of RReLU. In inference all "draws" are the mean, and Y is computed from the mean in
  // the compute type.
  virtual void ComputeDraw(const Call& call) const = 0;

  // "onnx_acts::ELU (node 'act3')"
  std::string Where() const;

  const ort::Api* api_;
  const OpSpec& spec_;
  Element element_;
  std::size_t element_size_;
  std::string node_name_;
  double parameter_ = 0;          // alpha, or the mean of RReLU's bounds
  bool training_ = false;         // RReLU
  uint64_t seed_ = 0;             // RReLU
  double lower_ = 0, width_ = 0;  // RReLU

 private:
  void ReadDraw(const Attributes& attributes);
  void CheckStaticShapes(const ort::KernelInfo* info) const;
  void ReadConstantSlope(const ort::KernelInfo* info);
  ort::Value* Output(ort::KernelContext* context, std::size_t index, const Shape& shape) const;
  void ComputeWithSlopes(const Call& call, const Shape& x_shape) const;
  void ComputeWithSlopes(const Call& call, const Shape& x_shape, const ort::Value* slope,
                         const Shape& slope_shape) const;

  // PReLU: of a slope that the model holds; asking for a shape takes longer than a small tensor.
  std::unique_ptr<const Shape> constant_slope_shape_;
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_NODE_H_
