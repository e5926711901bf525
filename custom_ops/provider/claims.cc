#include "provider/claims.h"

#include <cmath>
#include <vector>

#include "ort/status.h"
#include "ort/tensor.h"

namespace onnx_acts {
namespace {

// Before version 7 of the standard operators a slope belonged to the channels, dimension 1 of x;
// since then it is aligned at the last dimension.
constexpr int kFirstAligned = 7;

const OpSpec* OperatorOf(const ort::Api* api, const ort::Node* node) {
  const char* domain = nullptr;
  Check(ort::Node_GetDomain(api, node, &domain));
  if (*domain != '\0') return nullptr;
  const char* name = nullptr;
  Check(ort::Node_GetOperatorType(api, node, &name));
  return StandardOp(name);
}

std::vector<const ort::ValueInfo*> Inputs(const ort::Api* api, const ort::Node* node) {
  std::size_t count = 0;
  Check(ort::Node_GetNumInputs(api, node, &count));
  std::vector<const ort::ValueInfo*> inputs(count);
  Check(ort::Node_GetInputs(api, node, inputs.data(), count));
  return inputs;
}

// What is known of a tensor; null where it is none.
const ort::TensorTypeAndShapeInfo* TensorInfo(const ort::Api* api, const ort::ValueInfo* value) {
  if (value == nullptr) return nullptr;
  const ort::TypeInfo* type = nullptr;  // the value keeps it
  Check(ort::GetValueInfoTypeInfo(api, value, &type));
  const ort::TensorTypeAndShapeInfo* tensor = nullptr;
  Check(ort::CastTypeInfoToTensorInfo(api, type, &tensor));
  return tensor;
}

bool IsClaimedType(const OpSpec* op, ort::ElementType type, bool all) {
  for (const Claim& claim : kClaims) {
    if (claim.op == op && SpecOf(claim.element).onnx_type == type) return all || claim.by_default;
  }
  return false;
}

// The sizes of a tensor and their names; "" for a size without one.
struct NamedShape {
  NamedShape(const ort::Api* api, const ort::TensorTypeAndShapeInfo* tensor)
      : shape(api, tensor), names(shape.rank()) {
    Check(ort::GetSymbolicDimensions(api, tensor, names.data(), names.size()));
  }

  Shape shape;
  std::vector<const char*> names;
};

// Tells whether size i of the slope is 1 or certainly size j of x.
bool SizeFits(const NamedShape& slope, std::size_t i, const NamedShape& x, std::size_t j) {
  const int64_t size = slope.shape.sizes()[i];
  if (size == 1) return true;
  if (size >= 0) return size == x.shape.sizes()[j];
  const std::string name = slope.names[i] == nullptr ? "" : slope.names[i];
  return !name.empty() && x.names[j] != nullptr && name == x.names[j];
}

// Tells whether a slope certainly broadcasts to x's shape. The runtime's own PRelu takes others
// too, whose result is larger than x.
bool SlopeFits(const ort::Api* api, const ort::Node* node, const ort::TensorTypeAndShapeInfo* x,
               const ort::TensorTypeAndShapeInfo* slope) {
  if (slope == nullptr || !ort::TensorTypeAndShape_HasShape(api, slope)) return false;
  const NamedShape small(api, slope);
  if (small.shape.rank() == 0) return true;
  if (!ort::TensorTypeAndShape_HasShape(api, x)) return false;
  int version = 0;
  Check(ort::Node_GetSinceVersion(api, node, &version));
  if (version < kFirstAligned && small.shape.count() != 1) return false;
  const NamedShape large(api, x);
  if (small.shape.rank() > large.shape.rank()) return false;
  const std::size_t offset = large.shape.rank() - small.shape.rank();
  for (std::size_t i = 0; i < small.shape.rank(); ++i) {
    if (!SizeFits(small, i, large, offset + i)) return false;
  }
  return true;
}

}  // namespace

bool AttributeFits(const ort::Api* api, const ort::Node* node, const AttributeSpec& spec) {
  if (spec.range == Range::kAny) return true;
  const ort::OpAttr* attribute = nullptr;  // the node keeps it
  Check(ort::Node_GetAttributeByName(api, node, spec.name, &attribute));
  if (attribute == nullptr) return true;
  float value = 0;
  std::size_t size = 0;
  Check(ort::ReadOpAttr(api, attribute, ort::kFloatAttribute, &value, sizeof value, &size));
  return std::isfinite(value) && (spec.range != Range::kPositive || value > 0);
}

bool IsClaimed(const ort::Api* api, const ort::Node* node, bool all) {
  const OpSpec* const op = OperatorOf(api, node);
  if (op == nullptr) return false;
  const auto inputs = Inputs(api, node);
  const ort::TensorTypeAndShapeInfo* const x =
      inputs.empty() ? nullptr : TensorInfo(api, inputs[0]);
  if (x == nullptr) return false;
  ort::ElementType type = ort::kUndefined;
  Check(ort::GetTensorElementType(api, x, &type));
  if (!IsClaimedType(op, type, all)) return false;
  for (int i = 0; i < op->attribute_count; ++i) {
    if (!AttributeFits(api, node, op->attributes[i])) return false;
  }
  if (op->source != Source::kInput) return true;
  return inputs.size() > 1 && SlopeFits(api, node, x, TensorInfo(api, inputs[1]));
}

}  // namespace onnx_acts
