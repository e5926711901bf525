// What expm1 in double is made of, with a fused multiply-add or without.
#ifndef ONNX_ACTS_EXPM1_DOUBLE_H_
#define ONNX_ACTS_EXPM1_DOUBLE_H_

#include "activations/real.h"

namespace onnx_acts {
namespace {

// An unevaluated sum.
template <class Real>
struct Pair {
  Real high, low;
};

// ln2; k * kLn2High is exact.
constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;

// Above it, expm1(x) is x.
constexpr double kLinearAbove = -0x1p-57;

// P(r) = (expm1(r) - r - r^2/2) / r^3 for |r| < ln2 / 2, so that expm1(r) is good to 0.004 units
// (weighted minimax fit).
ONNX_ACTS_HD inline double CubicAndUp(double r) {
  double sum = MulAdd(0x1.1ecbaf86a119ap-29, r, 0x1.af4862f6f0839p-26);
  sum = MulAdd(MulAdd(sum, r, 0x1.27e5411d227a1p-22), r, 0x1.71de0625853aap-19);
  sum = MulAdd(MulAdd(sum, r, 0x1.a01a017bba9dcp-16), r, 0x1.a01a01a9e6477p-13);
  sum = MulAdd(MulAdd(sum, r, 0x1.6c16c16c1d81fp-10), r, 0x1.1111111110794p-7);
  return MulAdd(MulAdd(sum, r, 0x1.5555555555549p-5), r, 0x1.5555555555555p-3);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_EXPM1_DOUBLE_H_
