// expm1(x) = exp(x) - 1 and alpha * expm1(x) for x < 0, without branches, tables or library calls,
// for targets with a fused multiply-add. CPU and CUDA compile this text.
//
//   x = k ln2 + r, -0.472 < r < 0.222
//   expm1(x) = 2^k e + (2^k - 1),  e = expm1(r) = r + r q,  q = r/2 + r^2 P(r)
//
// The bounds of r are unequal, since the error of e counts most where k = -1 and r > 0: there
// 2^k e takes leading digits from 2^k - 1, and e stays below 1/4.
#ifndef ONNX_ACTS_EXPM1_H_
#define ONNX_ACTS_EXPM1_H_

#include "activations/real.h"

namespace onnx_acts {
namespace {

// x - k ln2. In float, x - k * float(ln2) is exact for k = -1, and ln2 is 0.03 units from
// float(ln2).
ONNX_ACTS_HD inline float Remainder(float x, float k) { return Fma(k, -0x1.62e43p-1f, x); }

ONNX_ACTS_HD inline double Remainder(double x, double k) {
  return Fma(k, -0x1.a39ef35793c76p-33, Fma(k, -0x1.62e42feep-1, x));
}

// P(r) = (expm1(r) - r - r^2/2) / r^3, so that e is good to 0.007 units (weighted minimax fit).
ONNX_ACTS_HD inline float CubicAndUp(float r) {
  const float high = Fma(Fma(0x1.787b06p-13f, r, 0x1.6b7d5p-10f), r, 0x1.1119b6p-7f);
  return Fma(Fma(high, r, 0x1.5555a8p-5f), r, 0x1.555554p-3f);
}

// The same to 0.003 units.
ONNX_ACTS_HD inline double CubicAndUp(double r) {
  double sum = Fma(0x1.007a12aabc7fp-29, r, 0x1.acbef282e94bp-26);
  sum = Fma(Fma(sum, r, 0x1.27e5878fbfec4p-22), r, 0x1.71de99af83b7cp-19);
  sum = Fma(Fma(sum, r, 0x1.a01a035030babp-16), r, 0x1.a01a019371f02p-13);
  sum = Fma(Fma(sum, r, 0x1.6c16c16bc629ap-10), r, 0x1.1111111111a03p-7);
  return Fma(Fma(sum, r, 0x1.55555555555cfp-5), r, 0x1.5555555555555p-3);
}

// power = 2^k, r, q and e as above.
template <class Real>
struct Expm1Parts {
  Real power, r, q, e;
};

// For x < 0; some numbers for any other x, which the caller discards.
template <class Real>
ONNX_ACTS_HD inline Expm1Parts<Real> SplitExpm1(Real x) {
  using L = RealLayout<Real>;
  const Real clamped = NotTooLow(x);
  // Adding 0.18 before rounding moves the bounds of r.
  const Exponent<Real> two = ExponentFrom(Fma(clamped, L::kInverseLn2, Real(0.18)) + L::kRound);
  const Real r = Remainder(clamped, two.k);
  const Real q = Fma(r * r, CubicAndUp(r), Real(0.5) * r);
  return {two.power, r, q, Fma(r, q, r)};
}

// expm1(x) for x < 0, within 0.70 units in the last place of float, 0.85 of double.
template <class Real>
ONNX_ACTS_HD inline Real Expm1(Real x) {
  const Expm1Parts<Real> parts = SplitExpm1(x);
  return Fma(parts.power, parts.e, parts.power - Real(1));
}

// alpha * expm1(x) for x < 0, within 1 unit: what rounding takes from e and from the sum is kept in
// `low` until the product is rounded.
template <class Real>
ONNX_ACTS_HD inline Real ScaledExpm1(Real x, Real alpha) {
  const Expm1Parts<Real> parts = SplitExpm1(x);
  const Real e_low = Fma(parts.r, parts.q, parts.r - parts.e);
  const Real whole = parts.power - Real(1);
  const Real high = Fma(parts.power, parts.e, whole);
  const Real low = Fma(parts.power, e_low, Fma(parts.power, parts.e, whole - high));
  const bool tiny = alpha < RealLayout<Real>::kTiny && alpha > -RealLayout<Real>::kTiny;
  const Real scaled = tiny ? alpha * RealLayout<Real>::kScaleUp : alpha;
  const Real unscale = tiny ? Real(1) / RealLayout<Real>::kScaleUp : Real(1);
  return unscale * Fma(scaled, high, scaled * low);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_EXPM1_H_
