// Reading and checking the attributes of a node at session creation.
#ifndef ONNX_ACTS_ATTRIBUTES_H_
#define ONNX_ACTS_ATTRIBUTES_H_

#include <array>
#include <cstdint>
#include <string>

#include "activations/op.h"
#include "ort/ort_abi.h"

namespace onnx_acts {

// "onnx_acts::ELU (node 'act3')", the beginning of every message about a node.
std::string Describe(const OpSpec& spec, const std::string& node_name);

// The node's own name; empty if it has none.
std::string NodeName(const ort::Api* api, const ort::KernelInfo* info);

// One node's attributes. A missing attribute has its default; one of the wrong kind or with a value
// that the operator refuses throws InvalidArgument. (Attributes that the operator does not know
// cannot be listed through this API; the runtime ignores them.)
class Attributes {
 public:
  Attributes(const ort::Api* api, const ort::KernelInfo* info, std::string where)
      : api_(api), info_(info), where_(std::move(where)) {}

  // The operator's real attributes, each at its place in the table's row, checked against the
  // ranges there. A real attribute is a tensor of one float64; also a FLOAT or an INT, which
  // hand-made nodes have.
  std::array<double, kMaxAttributes> Reals(const OpSpec& spec) const;

  // An INT; 0 or 1 if it is a flag.
  int64_t Integer(const AttributeSpec& spec) const;

 private:
  double Real(const AttributeSpec& spec) const;
  void CheckOrder(const char* low_name, double low, const char* name, double value) const;
  void CheckRange(const AttributeSpec& spec, double value) const;
  bool Succeeds(ort::Status* status) const;
  double OneDouble(const AttributeSpec& spec, ort::Value* tensor) const;
  std::string Found(const char* name) const;
  [[noreturn]] void Refuse(const char* name, const std::string& found, const char* expected) const;

  const ort::Api* api_;
  const ort::KernelInfo* info_;
  std::string where_;
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_ATTRIBUTES_H_
