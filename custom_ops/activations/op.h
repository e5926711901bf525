// The operators and their element types as data. The rows come from onnx_acts/definition/specs.py
// by way of generate_table.py.
#ifndef ONNX_ACTS_OP_H_
#define ONNX_ACTS_OP_H_

#include <cstddef>
#include <cstdint>

#include "activations/float16.h"

namespace onnx_acts {

enum class Element {
#define ONNX_ACTS_ELEMENT(name, ...) k##name,
#include "op_table.inc"
  kCount
};
constexpr int kElementCount = static_cast<int>(Element::kCount);

struct ElementSpec {
  const char* name;
  int onnx_type;
  std::size_t size;
};

constexpr ElementSpec kElements[] = {
#define ONNX_ACTS_ELEMENT(name, text, onnx, storage, compute) {text, onnx, sizeof(storage)},
#include "op_table.inc"
};

constexpr const ElementSpec& SpecOf(Element element) {
  return kElements[static_cast<int>(element)];
}
constexpr std::size_t SizeOf(Element element) { return SpecOf(element).size; }

// Functors of functors.h.
enum class Functor {
#define ONNX_ACTS_FUNCTOR(name) k##name,
#include "op_table.inc"
  kCount
};
constexpr int kFunctorCount = static_cast<int>(Functor::kCount);

// Where a functor's parameter comes from: nowhere, the first real attribute, the second input, or
// two real attributes between which it is drawn.
enum class Source { kNone, kAttribute, kInput, kDraw };

// How an attribute is written: a float64 tensor of one value, 0 or 1, or any integer.
enum class AttributeKind { kReal, kFlag, kSeed };

// Which real numbers an attribute accepts: any, NaN and infinities too; finite ones; finite ones
// above 0.
enum class Range { kAny, kFinite, kPositive };

struct AttributeSpec {
  const char* name;
  AttributeKind kind;
  double real_default;
  int64_t int_default;
  Range range;
  int at_least;  // the place of the attribute that this one may not be less than, -1 for none
};

constexpr int kMaxAttributes = 8;
constexpr int kMaxInputs = 6;

struct OpSpec {
  const char* domain;
  const char* name;
  Functor functor;
  Source source;
  int input_count;
  int output_count;
  int attribute_count;
  AttributeSpec attributes[kMaxAttributes];
};

constexpr const char kDomain[] = ONNX_ACTS_DOMAIN;
constexpr const char kLibraryVersion[] = ONNX_ACTS_VERSION;

#define ONNX_ACTS_ROW(domain, name, functor, source, inputs, outputs, attribute_count, ...) \
  {domain, #name,   Functor::k##functor, Source::k##source,                                 \
   inputs, outputs, attribute_count,     {__VA_ARGS__}},

constexpr OpSpec kOps[] = {
#define ONNX_ACTS_OP(...) ONNX_ACTS_ROW(kDomain, __VA_ARGS__)
#include "op_table.inc"
};
constexpr int kOpCount = static_cast<int>(sizeof kOps / sizeof kOps[0]);

// The standard operators that compute the same.
constexpr OpSpec kStandardOps[] = {
#define ONNX_ACTS_STANDARD_OP(...) ONNX_ACTS_ROW("", __VA_ARGS__)
#include "op_table.inc"
};

// An operator on tensors of 8 bits, whose inputs have types of their own.
struct QuantizedSpec {
  OpSpec op;
  int input_types[kMaxInputs];  // as ONNX numbers them
};

constexpr QuantizedSpec kQuantizedOps[] = {
#define ONNX_ACTS_QUANTIZED_TYPES(...) {__VA_ARGS__}
#define ONNX_ACTS_QUANTIZED_OP(types, ...) {ONNX_ACTS_ROW(kDomain, __VA_ARGS__) types},
#include "op_table.inc"
#undef ONNX_ACTS_QUANTIZED_TYPES
};
constexpr int kQuantizedOpCount = static_cast<int>(sizeof kQuantizedOps / sizeof kQuantizedOps[0]);
#undef ONNX_ACTS_ROW

}  // namespace onnx_acts

#endif  // ONNX_ACTS_OP_H_
