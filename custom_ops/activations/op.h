// The operators as data. The rows come from onnx_acts/definition/specs.py by way of
// generate_table.py.
#ifndef ONNX_ACTS_OP_H_
#define ONNX_ACTS_OP_H_

#include <cstddef>
#include <cstdint>

namespace onnx_acts {

// Element types, as rows of the loop table.
enum class Element { kFloat16, kBFloat16, kFloat32, kFloat64 };
constexpr int kElementCount = 4;

constexpr std::size_t SizeOf(Element element) {
  return element == Element::kFloat64 ? 8 : element == Element::kFloat32 ? 4 : 2;
}

// Functors of functors.h.
enum class Functor {
#define ONNX_ACTS_FUNCTOR(name) k##name,
#define ONNX_ACTS_OP(...)
#include "op_table.inc"
#undef ONNX_ACTS_FUNCTOR
#undef ONNX_ACTS_OP
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

struct OpSpec {
  const char* name;
  Functor functor;
  Source source;
  int input_count;
  int output_count;
  int attribute_count;
  AttributeSpec attributes[kMaxAttributes];
};

constexpr OpSpec kOps[] = {
#define ONNX_ACTS_FUNCTOR(name)
#define ONNX_ACTS_OP(name, functor, source, inputs, outputs, attribute_count, ...) \
  {#name, Functor::k##functor, Source::k##source, inputs, outputs, attribute_count, {__VA_ARGS__}},
#include "op_table.inc"
#undef ONNX_ACTS_FUNCTOR
#undef ONNX_ACTS_OP
};
constexpr int kOpCount = static_cast<int>(sizeof kOps / sizeof kOps[0]);

constexpr const char kDomain[] = ONNX_ACTS_DOMAIN;
constexpr const char kLibraryVersion[] = ONNX_ACTS_VERSION;

}  // namespace onnx_acts

#endif  // ONNX_ACTS_OP_H_
