// Which standard nodes the execution provider takes from the CPU provider.
#ifndef ONNX_ACTS_CLAIMS_H_
#define ONNX_ACTS_CLAIMS_H_

#include "activations/op.h"
#include "ort/ep_abi.h"

namespace onnx_acts {

// A standard operator in one element type. The rows come from the operator table.
struct Claim {
  const OpSpec* op;
  Element element;
  int first_opset;
  int last_opset;
  // Taken unless asked otherwise. The others are those that the CPU provider has kernels for and
  // fuses with what comes before them.
  bool by_default;
};

constexpr const OpSpec* StandardOp(const char* name) {
  for (const OpSpec& op : kStandardOps) {
    const char* a = op.name;
    const char* b = name;
    while (*a != '\0' && *a == *b) ++a, ++b;
    if (*a == *b) return &op;
  }
  return nullptr;
}

constexpr Claim kClaims[] = {
#define ONNX_ACTS_STANDARD_TYPE(op, element, first, last, by_default) \
  {StandardOp(#op), Element::k##element, first, last, by_default},
#include "op_table.inc"
};
constexpr std::size_t kClaimCount = sizeof kClaims / sizeof kClaims[0];

// Tells whether a node is one of the claims (`all`: those not by default too) and certainly within
// what our kernels accept: a slope that cannot enlarge x, attributes in their ranges. Whether its
// opset is one of the claim's, the runtime's look-up of a kernel tells.
bool IsClaimed(const ort::Api* api, const ort::Node* node, bool all);

// Tells whether a node's attribute is in its range; one that the node lacks has its default, which
// is.
bool AttributeFits(const ort::Api* api, const ort::Node* node, const AttributeSpec& spec);

}  // namespace onnx_acts

#endif  // ONNX_ACTS_CLAIMS_H_
