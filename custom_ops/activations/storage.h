// The element types of the operators as C++ types.
#ifndef ONNX_ACTS_STORAGE_H_
#define ONNX_ACTS_STORAGE_H_

#include "activations/op.h"

namespace onnx_acts {
namespace {

// An element: the type in which it is computed, how it is read as that, and how it is written.
template <class T, class Compute>
struct StoredAs {
  using Real = Compute;
  static constexpr bool k16Bits = sizeof(T) == 2;

  static ONNX_ACTS_HD inline Real Read(T value) {
    if constexpr (k16Bits) {
      return value.ToFloat();
    } else {
      return value;
    }
  }

  static ONNX_ACTS_HD inline T Write(Real value) {
    if constexpr (k16Bits) {
      return T::FromFloat(value);
    } else {
      return value;
    }
  }
};

template <class T>
struct Storage;

#define ONNX_ACTS_ELEMENT(name, text, onnx, storage, compute) \
  template <>                                                 \
  struct Storage<storage> : StoredAs<storage, compute> {};
#include "op_table.inc"

// Calls `body` with a zero of the C++ type.
template <class Body>
inline void WithStorage(Element element, const Body& body) {
  switch (element) {
#define ONNX_ACTS_ELEMENT(name, text, onnx, storage, compute) \
  case Element::k##name:                                      \
    return body(storage{});
#include "op_table.inc"
    case Element::kCount:
      break;
  }
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_STORAGE_H_
