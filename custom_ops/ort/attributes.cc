#include "ort/attributes.h"

#include <cmath>
#include <cstdio>

#include "ort/status.h"
#include "ort/tensor.h"

namespace onnx_acts {
namespace {

constexpr char kRealExpected[] = "a tensor of one float64 value (or a FLOAT)";

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string ElementName(ort::ElementType type) {
  static const char* const names[] = {"undefined",  "float32", "uint8",  "int8",   "uint16",
                                      "int16",      "int32",   "int64",  "string", "bool",
                                      "float16",    "float64", "uint32", "uint64", "complex64",
                                      "complex128", "bfloat16"};
  const auto index = static_cast<std::size_t>(type);
  return index < sizeof names / sizeof names[0] ? names[index]
                                                : "element type " + std::to_string(index);
}

}  // namespace

std::string Describe(const OpSpec& spec, const std::string& node_name) {
  const std::string domain = spec.domain;
  return domain + (domain.empty() ? "" : "::") + spec.name +
         (node_name.empty() ? " (unnamed node)" : " (node '" + node_name + "')");
}

std::string NodeName(const ort::Api* api, const ort::KernelInfo* info) {
  std::size_t size = 0;  // with the terminating zero
  Check(ort::KernelInfo_GetNodeName(api, info, nullptr, &size));
  std::string name(size, '\0');
  Check(ort::KernelInfo_GetNodeName(api, info, name.data(), &size));
  return name.c_str();
}

std::array<double, kMaxAttributes> Attributes::Reals(const OpSpec& spec) const {
  std::array<double, kMaxAttributes> values{};
  for (int i = 0; i < spec.attribute_count; ++i) {
    const AttributeSpec& item = spec.attributes[i];
    if (item.kind != AttributeKind::kReal) continue;
    values[static_cast<std::size_t>(i)] = Real(item);
    if (item.at_least < 0) continue;
    CheckOrder(spec.attributes[item.at_least].name, values[static_cast<std::size_t>(item.at_least)],
               item.name, values[static_cast<std::size_t>(i)]);
  }
  for (int i = 0; i < spec.attribute_count; ++i) {
    CheckRange(spec.attributes[i], values[static_cast<std::size_t>(i)]);
  }
  return values;
}

void Attributes::CheckOrder(const char* low_name, double low, const char* name,
                            double value) const {
  if (std::isfinite(low) && std::isfinite(value) && low <= value) return;
  throw InvalidArgument(where_ + ": attributes " + low_name + " = " + Number(low) + " and " + name +
                        " = " + Number(value) + "; expected finite numbers with " + low_name +
                        " <= " + name);
}

void Attributes::CheckRange(const AttributeSpec& spec, double value) const {
  if (spec.range == Range::kAny) return;
  const bool positive = spec.range == Range::kPositive;
  if (std::isfinite(value) && (!positive || value > 0)) return;
  Refuse(spec.name, Number(value), positive ? "a finite number > 0" : "a finite number");
}

double Attributes::Real(const AttributeSpec& spec) const {
  ort::Allocator* allocator = nullptr;
  Check(ort::GetAllocatorWithDefaultOptions(api_, &allocator));
  ort::Value* tensor = nullptr;
  if (Succeeds(ort::KernelInfoGetAttribute_tensor(api_, info_, spec.name, allocator, &tensor))) {
    return OneDouble(spec, tensor);
  }
  float single = 0;
  if (Succeeds(ort::KernelInfoGetAttribute_float(api_, info_, spec.name, &single))) {
    return static_cast<double>(single);
  }
  int64_t integer = 0;
  if (Succeeds(ort::KernelInfoGetAttribute_int64(api_, info_, spec.name, &integer))) {
    return static_cast<double>(integer);
  }
  const std::string found = Found(spec.name);
  if (!found.empty()) Refuse(spec.name, found, kRealExpected);
  return spec.real_default;
}

int64_t Attributes::Integer(const AttributeSpec& spec) const {
  int64_t value = 0;
  if (!Succeeds(ort::KernelInfoGetAttribute_int64(api_, info_, spec.name, &value))) {
    const std::string found = Found(spec.name);
    if (!found.empty()) Refuse(spec.name, found, "an INT");
    return spec.int_default;
  }
  if (spec.kind == AttributeKind::kFlag && value != 0 && value != 1) {
    Refuse(spec.name, std::to_string(value), "0 or 1");
  }
  return value;
}

// A getter refuses a missing attribute, or one of another kind, with these two codes. Any other
// failure (no memory, say) must not pass for a missing attribute, which has its default.
bool Attributes::Succeeds(ort::Status* status) const {
  if (status == nullptr) return true;
  const ort::ErrorCode code = ort::GetErrorCode(api_, status);
  if (code != ort::kFail && code != ort::kInvalidArgument) throw StatusError{status};
  ort::ReleaseStatus(api_, status);
  return false;
}

// Takes over the tensor.
double Attributes::OneDouble(const AttributeSpec& spec, ort::Value* tensor) const {
  const Released<ort::Value> owner(api_, tensor);
  const Shape shape(api_, tensor);
  if (shape.type() != ort::kDouble || shape.count() != 1) {
    Refuse(spec.name,
           "a tensor of " + std::to_string(shape.count()) + " " + ElementName(shape.type()) +
               " value(s)",
           kRealExpected);
  }
  return *static_cast<const double*>(TensorData(api_, tensor));
}

// What an attribute that has none of the expected kinds is; empty if there is no such attribute.
// (The getters of lists succeed for every attribute, with no elements if it is not such a list.)
std::string Attributes::Found(const char* name) const {
  std::size_t size = 0;
  float single = 0;
  if (Succeeds(ort::KernelInfoGetAttribute_string(api_, info_, name, nullptr, &size))) {
    return "a STRING";
  }
  if (Succeeds(ort::KernelInfoGetAttribute_float(api_, info_, name, &single))) return "a FLOAT";
  size = 0;
  if (!Succeeds(ort::KernelInfoGetAttributeArray_float(api_, info_, name, nullptr, &size))) {
    return "";
  }
  if (size > 0) return "a list of " + std::to_string(size) + " FLOATS";
  if (Succeeds(ort::KernelInfoGetAttributeArray_int64(api_, info_, name, nullptr, &size)) &&
      size > 0) {
    return "a list of " + std::to_string(size) + " INTS";
  }
  return "of another kind";
}

void Attributes::Refuse(const char* name, const std::string& found, const char* expected) const {
  throw InvalidArgument(where_ + ": attribute " + name + " is " + found + "; expected " + expected);
}

}  // namespace onnx_acts
