// A node on tensors of 8 bits, on the CPU: DequantizeLinear, the activation and QuantizeLinear in
// one.
#ifndef ONNX_ACTS_QUANTIZED_NODE_H_
#define ONNX_ACTS_QUANTIZED_NODE_H_

#include <array>
#include <memory>
#include <string>

#include "cpu/combined_factors.h"
#include "cpu/loops.h"
#include "ort/any_node.h"

namespace onnx_acts {

class Shape;

class QuantizedNode final : public AnyNode {
 public:
  // Throws InvalidArgument where the node's attributes, or what is known of its inputs, are
  // refused.
  QuantizedNode(const OpSpec& spec, const ort::Api* api, const ort::KernelInfo* info);
  ~QuantizedNode() override;

  void Compute(ort::KernelContext* context) const override;

 private:
  using Table = std::array<uint8_t, 256>;

  struct Call {
    ort::KernelContext* context;
    const uint8_t* x;
    uint8_t* y;
    int64_t count;
  };

  void ReadConstants(const ort::KernelInfo* info);
  void ReadConstantSlope(const ort::KernelInfo* info);
  void CheckStaticShapes(const ort::KernelInfo* info) const;
  Quantization QuantizationOf(const ort::Value* const* scalars) const;
  Quantization ReadQuantization(const ort::KernelContext* context) const;
  template <class T>
  T One(const ort::Value* tensor, std::size_t input) const;
  Table Curve(const Quantization& quantization) const;
  void ComputeCurve(const Call& call) const;
  void ComputeSlopes(const Call& call, const Shape& x_shape) const;

  const OpSpec& spec_;
  std::string node_name_;
  const QuantizedLoops& loops_;
  float alpha_ = 0;
  // Of what the model holds; null where it may change.
  std::unique_ptr<const Quantization> constant_;
  std::unique_ptr<const Table> constant_curve_;
  std::unique_ptr<const Shape> constant_slope_shape_;
  std::unique_ptr<const CombinedFactors> constant_factors_;  // or null where there are none
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_QUANTIZED_NODE_H_
