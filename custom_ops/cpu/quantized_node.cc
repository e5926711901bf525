#include "cpu/quantized_node.h"

#include <cmath>

#include "cpu/chunks.h"
#include "cpu/isa.h"
#include "cpu/slope_walk.h"
#include "ort/attributes.h"
#include "ort/node.h"
#include "ort/status.h"
#include "ort/tensor.h"

namespace onnx_acts {
namespace {

// Elements that one task computes, about 6 us on one thread.
constexpr int64_t kCurveChunk = 32768;
constexpr int64_t kSlopesChunk = 65536;

// The inputs, in the order of the table.
enum Input : std::size_t { kX, kXScale, kXZeroPoint, kYScale, kYZeroPoint, kSlope, kInputCount };
constexpr std::size_t kScalars[] = {kXScale, kXZeroPoint, kYScale, kYZeroPoint};
constexpr const char* kInputNames[kInputCount] = {"X",       "x_scale",      "x_zero_point",
                                                  "y_scale", "y_zero_point", "slope"};

// As the standard operator computes it: every step in float, of the nearest float to exp(x).
float Elu(float x, float alpha) {
  const auto power = static_cast<float>(std::exp(static_cast<double>(x)));
  return x < 0 ? alpha * (power - 1.0f) : x;
}

// Loops over slopes or factors with what else they need, as slope_walk.h asks for them.
template <class Loop, class Numbers>
struct LoopsOfBytes {
  Loop one_loop;
  Loop each_loop;
  const Numbers& numbers;
  std::size_t element_size = sizeof(uint8_t);
  std::size_t slope_size = sizeof(float);
  Loops::Stream stream = nullptr;

  void one(const char* x, const char* slope, char* y, int64_t n) const {
    Run(one_loop, x, slope, y, n);
  }
  void each(const char* x, const char* slopes, char* y, int64_t n) const {
    Run(each_loop, x, slopes, y, n);
  }

 private:
  void Run(Loop loop, const char* x, const char* slopes, char* y, int64_t n) const {
    loop(reinterpret_cast<const uint8_t*>(x), reinterpret_cast<const float*>(slopes),
         reinterpret_cast<uint8_t*>(y), n, numbers);
  }
};

const ort::Value* InputOf(const ort::Api* api, const ort::KernelContext* context,
                          std::size_t input) {
  const ort::Value* value = nullptr;
  Check(ort::KernelContext_GetInput(api, context, input, &value));
  return value;
}

// An input that the model holds; null where it may change.
const ort::Value* ConstantInput(const ort::Api* api, const ort::KernelInfo* info,
                                std::size_t input) {
  int is_constant = 0;
  const ort::Value* value = nullptr;
  Check(ort::KernelInfoGetConstantInput_tensor(api, info, input, &is_constant, &value));
  return is_constant != 0 ? value : nullptr;
}

}  // namespace

QuantizedNode::QuantizedNode(const OpSpec& spec, const ort::Api* api, const ort::KernelInfo* info)
    : AnyNode(api),
      spec_(spec),
      node_name_(NodeName(api, info)),
      loops_(ChooseIsa().loops->quantized) {
  if (spec.source == Source::kAttribute) {
    const Attributes attributes(api, info, Describe(spec, node_name_));
    alpha_ = static_cast<float>(attributes.Reals(spec)[0]);
  }
  CheckStaticShapes(info);
  ReadConstants(info);
  if (spec.source == Source::kInput) ReadConstantSlope(info);
}

QuantizedNode::~QuantizedNode() = default;

// A slope that cannot fit is refused with the session, not with its first run.
void QuantizedNode::CheckStaticShapes(const ort::KernelInfo* info) const {
  if (spec_.source != Source::kInput) return;
  const Shape x = StaticShape(api_, info, kX);
  if (x.rank() > 0) CheckSlopeShape(spec_, node_name_, x, StaticShape(api_, info, kSlope));
}

void QuantizedNode::ReadConstants(const ort::KernelInfo* info) {
  const ort::Value* scalars[kInputCount] = {};
  for (const std::size_t input : kScalars) {
    scalars[input] = ConstantInput(api_, info, input);
    if (scalars[input] == nullptr) return;
  }
  constant_ = std::make_unique<const Quantization>(QuantizationOf(scalars));
  if (spec_.source != Source::kInput) {
    constant_curve_ = std::make_unique<const Table>(Curve(*constant_));
  }
}

void QuantizedNode::ReadConstantSlope(const ort::KernelInfo* info) {
  const ort::Value* slope = ConstantInput(api_, info, kSlope);
  if (slope == nullptr) return;
  constant_slope_shape_ = std::make_unique<const Shape>(api_, slope);
  if (constant_ == nullptr) return;
  const auto* slopes = static_cast<const float*>(TensorData(api_, slope));
  constant_factors_ =
      FindCombinedFactors(loops_, *constant_, slopes, constant_slope_shape_->count());
}

Quantization QuantizedNode::QuantizationOf(const ort::Value* const* scalars) const {
  return {One<float>(scalars[kXScale], kXScale), One<float>(scalars[kYScale], kYScale),
          One<uint8_t>(scalars[kXZeroPoint], kXZeroPoint),
          One<uint8_t>(scalars[kYZeroPoint], kYZeroPoint)};
}

Quantization QuantizedNode::ReadQuantization(const ort::KernelContext* context) const {
  if (constant_ != nullptr) return *constant_;
  const ort::Value* scalars[kInputCount] = {};
  for (const std::size_t input : kScalars) scalars[input] = InputOf(api_, context, input);
  return QuantizationOf(scalars);
}

template <class T>
T QuantizedNode::One(const ort::Value* tensor, std::size_t input) const {
  const Shape shape(api_, tensor);
  if (shape.count() != 1) {
    throw InvalidArgument(Describe(spec_, node_name_) + ": " + kInputNames[input] + " of shape " +
                          shape.Text() + "; expected one value for the tensor");
  }
  return *static_cast<const T*>(TensorData(api_, tensor));
}

QuantizedNode::Table QuantizedNode::Curve(const Quantization& quantization) const {
  Table table;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const float real = Dequantize(static_cast<uint8_t>(i), quantization);
    table[i] = Quantize(Elu(real, alpha_), quantization);
  }
  return table;
}

void QuantizedNode::Compute(ort::KernelContext* context) const {
  const ort::Value* const x = InputOf(api_, context, kX);
  const Shape shape(api_, x);
  ort::Value* y = nullptr;
  Check(ort::KernelContext_GetOutput(api_, context, 0, shape.sizes(), shape.rank(), &y));
  const Call call = {context, static_cast<const uint8_t*>(TensorData(api_, x)),
                     static_cast<uint8_t*>(TensorData(api_, y)), shape.count()};
  if (spec_.source == Source::kInput) return ComputeSlopes(call, shape);
  ComputeCurve(call);
}

void QuantizedNode::ComputeCurve(const Call& call) const {
  const Table made = constant_curve_ != nullptr ? Table{} : Curve(ReadQuantization(call.context));
  const Table& table = constant_curve_ != nullptr ? *constant_curve_ : made;
  ForEachChunk(api_, call.context, call.count, kCurveChunk, [&](int64_t begin, int64_t end) {
    loops_.lookup(call.x + begin, call.y + begin, end - begin, table.data());
  });
}

void QuantizedNode::ComputeSlopes(const Call& call, const Shape& x_shape) const {
  const ort::Value* const slope = InputOf(api_, call.context, kSlope);
  const Shape slope_shape =
      constant_slope_shape_ != nullptr ? *constant_slope_shape_ : Shape(api_, slope);
  CheckSlopeShape(spec_, node_name_, x_shape, slope_shape);
  const Quantization quantization = ReadQuantization(call.context);
  if (call.count == 0) return;
  const SlopeLayout layout =
      CollapseShapes(slope_shape.sizes(), slope_shape.rank(), x_shape.sizes(), x_shape.rank());
  const auto compute = [&](const auto& loops, const void* slopes) {
    ForEachChunk(api_, call.context, call.count, kSlopesChunk, [&](int64_t begin, int64_t end) {
      slope_walk::Walk(loops, layout, reinterpret_cast<const char*>(call.x),
                       static_cast<const char*>(slopes), reinterpret_cast<char*>(call.y), begin,
                       end);
    });
  };
  if (constant_factors_ != nullptr) {
    const LoopsOfBytes<QuantizedLoops::Factors, Combined> loops = {
        loops_.one_factor, loops_.each_factor, constant_factors_->combined};
    return compute(loops, constant_factors_->factors.data());
  }
  const LoopsOfBytes<QuantizedLoops::Slopes, Quantization> loops = {
      loops_.one_slope, loops_.each_slope, quantization};
  compute(loops, TensorData(api_, slope));
}

}  // namespace onnx_acts
