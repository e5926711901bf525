// The activations, one element at a time: y = f(x, parameter). CPU and CUDA compile this text.
//
// A functor is a struct with
//   Constants<Real>            what Apply needs, derived once from the parameter;
//   Prepare<Real>(parameter)   makes them (the parameter is already rounded to the compute type);
//   IsPlain(parameter)         whether Apply<true> will do, a form with less arithmetic;
//   Apply<plain>(x, constants) y in the compute type Real, float or double;
//   kInFloat                   how good Apply is in float, which decides how 16-bit results are
//                              made;
//   Lost(x, y, constants)      if kInFloat is kRoundedOnce: the exact value less y, for an x of 16
//                              bits and y = Apply(x, constants) in float;
//   BreakTie(x, y)             for a y in double that will be rounded to 16 bits: moves it by a
//                              relative 2^-45 where the exact value lies just beside it (see Elu).
//
// The negative branch is taken iff x < 0, so that NaN and both zeros pass through. Both branches
// are computed and one is selected, which is what compilers turn into vector code. There is no
// fused multiply-add: every instruction set must give the same bits.
#ifndef ONNX_ACTS_FUNCTORS_H_
#define ONNX_ACTS_FUNCTORS_H_

#include "expm1.h"
#include "host_device.h"

namespace onnx_acts {
namespace {

enum class InFloat {
  kExact,        // no rounding at all
  kRoundedOnce,  // the exact value, rounded to float
  kRough,        // worse; and slow enough that a table of all 16-bit results pays
};

// 0 for x < 0, else x.
struct Relu {
  static constexpr InFloat kInFloat = InFloat::kExact;

  template <class Real>
  struct Constants {};

  template <class Real>
  static ONNX_ACTS_HD inline Constants<Real> Prepare(Real) {
    return {};
  }

  template <class Real>
  static ONNX_ACTS_HD inline bool IsPlain(Real) {
    return true;
  }

  template <bool kPlain, class Real>
  static ONNX_ACTS_HD inline Real Apply(Real x, Constants<Real>) {
    return x < Real(0) ? Real(0) : x;
  }

  static ONNX_ACTS_HD inline double BreakTie(double, double y) { return y; }
};

// slope * x for x < 0, else x. LeakyReLU, PReLU and RReLU differ in where the slope comes from.
struct NegativeSlope {
  static constexpr InFloat kInFloat = InFloat::kRoundedOnce;

  template <class Real>
  struct Constants {
    Real slope;
    Real high;  // its leading bits, so few that the product with a 16-bit x is exact
    Real low;   // the rest
  };

  template <class Real>
  static ONNX_ACTS_HD inline Constants<Real> Prepare(Real slope) {
    const Real high = LeadingBits(slope);
    return {slope, high, slope - high};
  }

  template <class Real>
  static ONNX_ACTS_HD inline bool IsPlain(Real) {
    return true;
  }

  template <bool kPlain, class Real>
  static ONNX_ACTS_HD inline Real Apply(Real x, Constants<Real> c) {
    return x < Real(0) ? c.slope * x : x;
  }

  // Both products are exact, and so is their sum less y, as y is that sum rounded.
  static ONNX_ACTS_HD inline float Lost(float x, float y, Constants<float> c) {
    return x < 0.0f ? c.low * x - (y - c.high * x) : 0.0f;
  }

  static ONNX_ACTS_HD inline double BreakTie(double, double y) { return y; }
};

// alpha * expm1(x) for x < 0, else x.
struct Elu {
  static constexpr InFloat kInFloat = InFloat::kRough;

  template <class Real>
  struct Constants {
    Real alpha;    // as given; the others hold it scaled up where it is tiny
    Real scaled;   // = high + low
    Real high;     // its leading bits, so few that products of two such numbers are exact
    Real low;      // the rest
    Real unscale;  // undoes the scaling
  };

  template <class Real>
  static ONNX_ACTS_HD inline Constants<Real> Prepare(Real alpha) {
    using L = RealLayout<Real>;
    const bool tiny = alpha < L::kTinyFactor && alpha > -L::kTinyFactor;
    const Real scaled = tiny ? alpha * L::kScaleUp : alpha;
    const Real high = LeadingBits(scaled);
    return {alpha, scaled, high, scaled - high, tiny ? Real(1) / L::kScaleUp : Real(1)};
  }

  // Multiplying by a power of two rounds nothing, and zero, infinity and NaN need no care: one
  // product does. (1.0, by far the most common alpha, is among them.)
  template <class Real>
  static ONNX_ACTS_HD inline bool IsPlain(Real alpha) {
    using L = RealLayout<Real>;
    return (BitCast<typename L::Bits>(alpha) & L::kFractionMask) == 0 || !(alpha == alpha);
  }

  template <bool kPlain, class Real>
  static ONNX_ACTS_HD inline Real Apply(Real x, Constants<Real> c) {
    const Pair<Real> e = Expm1OfNegative(x);
    const Real y = kPlain ? c.alpha * (e.high + e.low) : Product(x, e, c);
    return x < Real(0) ? y : x;
  }

  // Near zero, y = alpha x (1 + x/2 + ...); far below, y = -alpha (1 - exp(x)). A double loses the
  // tail for |x| < 2^-44 or x < -32 and holds alpha x or -alpha. These have 35 bits at most and may
  // lie exactly half-way between two 16-bit numbers; the true value is nearer to zero, which
  // decides how to round. Half-way points apart, no 16-bit rounding is as sensitive as 2^-45.
  static ONNX_ACTS_HD inline double BreakTie(double x, double y) {
    const bool near_zero = x < 0.0 && x > -0x1p-44;
    const bool far_below = x < -32.0 && x > -0x1p1000;
    return near_zero || far_below ? y * (1.0 - 0x1p-45) : y;
  }

 private:
  // alpha * (e.high + e.low) rounded about once: the product of the leading halves is exact, what
  // remains is small. Where expm1(x) is x, alpha * x is right in subnormal numbers too.
  template <class Real>
  static ONNX_ACTS_HD inline Real Product(Real x, Pair<Real> e, Constants<Real> c) {
    const Real head = LeadingBits(e.high);
    const Real tail = (e.high - head) + e.low;
    const Real y = c.unscale * (c.high * head + (c.low * head + c.scaled * tail));
    return x > -RealLayout<Real>::kLinearBelow ? c.alpha * x : y;
  }
};

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_FUNCTORS_H_
