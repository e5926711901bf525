#include "ort/node.h"

#include "ort/attributes.h"
#include "ort/status.h"
#include "ort/tensor.h"

namespace onnx_acts {

Shape StaticShape(const ort::Api* api, const ort::KernelInfo* info, std::size_t input) {
  ort::TypeInfo* type = nullptr;
  Check(ort::KernelInfo_GetInputTypeInfo(api, info, input, &type));
  const Released<ort::TypeInfo> owner(api, type);
  const ort::TensorTypeAndShapeInfo* tensor = nullptr;
  Check(ort::CastTypeInfoToTensorInfo(api, type, &tensor));
  return Shape(api, tensor);
}

void CheckSlopeShape(const OpSpec& spec, const std::string& node_name, const Shape& x,
                     const Shape& slope) {
  if (BroadcastsTo(slope.sizes(), slope.rank(), x.sizes(), x.rank())) return;
  throw InvalidArgument(
      Describe(spec, node_name) + ": slope of shape " + slope.Text() +
      " does not broadcast to X of shape " + x.Text() +
      "; sizes are aligned at the last dimension and each must be 1 or X's (for one slope per "
      "channel, reshape the slope to (C, 1, ..., 1))");
}

Node::Node(const OpSpec& spec, Element element, const ort::Api* api, const ort::KernelInfo* info)
    : AnyNode(api),
      spec_(spec),
      element_(element),
      element_size_(SizeOf(element)),
      node_name_(NodeName(api, info)) {
  const Attributes attributes(api, info, Where());
  if (spec.source == Source::kAttribute) parameter_ = attributes.Reals(spec)[0];
  if (spec.source == Source::kDraw) ReadDraw(attributes);
  if (spec.source == Source::kInput) {
    CheckStaticShapes(info);
    ReadConstantSlope(info);
  }
}

std::string Node::Where() const { return Describe(spec_, node_name_); }

// lower, upper, training_mode and seed, in the order of the table's row.
void Node::ReadDraw(const Attributes& attributes) {
  const auto reals = attributes.Reals(spec_);
  lower_ = reals[0];
  const double upper = reals[1];
  width_ = upper - lower_;
  parameter_ = (lower_ + upper) / 2;
  training_ = attributes.Integer(spec_.attributes[2]) == 1;
  seed_ = static_cast<uint64_t>(attributes.Integer(spec_.attributes[3]));
}

// A slope that cannot fit is refused with the session, not with its first run.
void Node::CheckStaticShapes(const ort::KernelInfo* info) const {
  const Shape x = StaticShape(api_, info, 0);
  if (x.rank() == 0) return;
  CheckSlopeShape(spec_, node_name_, x, StaticShape(api_, info, 1));
}

Node::~Node() = default;

void Node::ReadConstantSlope(const ort::KernelInfo* info) {
  int is_constant = 0;
  const ort::Value* slope = nullptr;
  Check(ort::KernelInfoGetConstantInput_tensor(api_, info, 1, &is_constant, &slope));
  if (is_constant != 0) constant_slope_shape_ = std::make_unique<const Shape>(api_, slope);
}

void Node::Compute(ort::KernelContext* context) const {
  const ort::Value* x = nullptr;
  Check(ort::KernelContext_GetInput(api_, context, 0, &x));
  const Shape shape(api_, x);
  ort::Value* const y = Output(context, 0, shape);
  ort::Value* noise = nullptr;
  if (spec_.output_count > 1) {
    std::size_t outputs = 0;
    Check(ort::KernelContext_GetOutputCount(api_, context, &outputs));
    if (outputs > 1) noise = Output(context, 1, shape);
  }
  Call call = {context, nullptr, nullptr, nullptr, shape.count()};
  call.x = static_cast<const char*>(TensorData(api_, x));
  call.y = static_cast<char*>(TensorData(api_, y));
  if (noise != nullptr) call.noise = static_cast<char*>(TensorData(api_, noise));
  if (spec_.source == Source::kInput) return ComputeWithSlopes(call, shape);
  if (call.count == 0) return;
  if (training_ || call.noise != nullptr) return ComputeDraw(call);
  ComputeUniform(call);
}

ort::Value* Node::Output(ort::KernelContext* context, std::size_t index, const Shape& shape) const {
  ort::Value* output = nullptr;
  Check(ort::KernelContext_GetOutput(api_, context, index, shape.sizes(), shape.rank(), &output));
  return output;
}

void Node::ComputeWithSlopes(const Call& call, const Shape& x_shape) const {
  const ort::Value* slope = nullptr;
  Check(ort::KernelContext_GetInput(api_, call.context, 1, &slope));
  if (constant_slope_shape_ != nullptr) {
    return ComputeWithSlopes(call, x_shape, slope, *constant_slope_shape_);
  }
  ComputeWithSlopes(call, x_shape, slope, Shape(api_, slope));
}

void Node::ComputeWithSlopes(const Call& call, const Shape& x_shape, const ort::Value* slope,
                             const Shape& slope_shape) const {
  CheckSlopeShape(spec_, node_name_, x_shape, slope_shape);
  if (call.count == 0) return;
  const SlopeLayout layout =
      CollapseShapes(slope_shape.sizes(), slope_shape.rank(), x_shape.sizes(), x_shape.rank());
  ComputeSlopes(call, layout, static_cast<const char*>(TensorData(api_, slope)));
}

}  // namespace onnx_acts
