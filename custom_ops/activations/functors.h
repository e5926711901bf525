// The activations, one element at a time: y = f(x, parameter). CPU and CUDA compile this text.
//
// A functor is a struct with
//   ScalesExactly(parameter)       whether multiplying by the parameter needs no care, because it
//                                  rounds nothing or because nothing is multiplied;
//   Apply<exactly>(x, parameter)   y in the compute type Real, float or double; the parameter is
//                                  rounded to it. Apply<true> is for parameters that scale
//                                  exactly: it has less arithmetic or error;
//   kFloatAccuracy<exactly>        how good Apply is in float: how 16-bit results are made;
//   Lost(x, y, parameter)          where kFloatAccuracy is kNearest: the exact value less y, for
//                                  an x of 16 bits and y = Apply(x, parameter) in float;
//   ToOdd(x, parameter)            the same for CUDA: the exact value cut off to float, with the
//                                  last bit set if anything was cut off ("round to odd");
//   BreakTie(x, y, parameter)      for a y in double that will be rounded to 16 bits: moves it by a
//                                  relative 2^-45 where the exact value lies just beside it (see
//                                  Elu).
//
// The negative branch is taken iff x < 0, so that NaN and both zeros pass through. Both branches
// are computed and one is selected, which is what compilers turn into vector code. Products are
// added up by Fma where that is one instruction, or not fused at all: never as a compiler likes.
#ifndef ONNX_ACTS_FUNCTORS_H_
#define ONNX_ACTS_FUNCTORS_H_

#include "activations/real.h"
#if ONNX_ACTS_HAS_FMA
#include "activations/expm1.h"
#else
#include "activations/expm1_without_fma.h"
#endif

namespace onnx_acts {
namespace {

// How far Apply in float is from the exact value for an x of 16 bits.
enum class FloatAccuracy {
  kExact,
  kNearest,       // it is the nearest float; Lost gives the rest
  kWithinOneUlp,  // of float
  kRough,         // further: 16-bit results are computed in double
};

// 0 for x < 0, else x.
struct Relu {
  template <bool kScalesExactly>
  static constexpr FloatAccuracy kFloatAccuracy = FloatAccuracy::kExact;

  template <class Real>
  static ONNX_ACTS_HD inline bool ScalesExactly(Real) {
    return true;
  }

  template <bool kScalesExactly, class Real>
  static ONNX_ACTS_HD inline Real Apply(Real x, Real) {
    return x < Real(0) ? Real(0) : x;
  }

  static ONNX_ACTS_HD inline double BreakTie(double, double y, double) { return y; }
};

// slope * x for x < 0, else x. LeakyReLU, PReLU and RReLU differ in where the slope comes from.
struct NegativeSlope {
  template <bool kScalesExactly>
  static constexpr FloatAccuracy kFloatAccuracy =
      kScalesExactly ? FloatAccuracy::kExact : FloatAccuracy::kNearest;

  // At most 13 significant bits, down to 2^-16: products with an x of 16 bits are exact in float.
  // (0.25 and most other slopes that people write down as fractions of powers of two.)
  template <class Real>
  static ONNX_ACTS_HD inline bool ScalesExactly(Real slope) {
    const uint32_t bits = BitCast<uint32_t>(static_cast<float>(slope));
    return (bits & 0x7ffu) == 0 && (slope >= Real(0.0625) || slope <= Real(-0.0625));
  }

  template <bool kScalesExactly, class Real>
  static ONNX_ACTS_HD inline Real Apply(Real x, Real slope) {
    return x < Real(0) ? slope * NegativeFactor(x) : x;
  }

  // Checking for ties instead would not do: one product in three with n/3, RReLU's slope by
  // default, lies right beside a short number, which often is one.
  static ONNX_ACTS_HD inline float Lost(float x, float y, float slope) {
    return x < 0.0f ? ProductError(slope, x, y) : 0.0f;
  }

#ifdef __CUDACC__
  // A product that is no float lies between two whose magnitudes are neighbours, one of them odd.
  static __device__ inline float ToOdd(float x, float slope) {
    const auto cut = BitCast<uint32_t>(__fmul_rz(x, slope));
    const auto away = BitCast<uint32_t>(__fmul_ru(fabsf(x), fabsf(slope)));
    return BitCast<float>(cut | (away & 1u));
  }
#endif

  static ONNX_ACTS_HD inline double BreakTie(double, double y, double) { return y; }
};

// alpha * expm1(x) for x < 0, else x.
struct Elu {
  template <bool kScalesExactly>
  static constexpr FloatAccuracy kFloatAccuracy = FloatAccuracy::kWithinOneUlp;

  // Multiplying by a power of two rounds nothing unless the result is subnormal, and zero, infinity
  // and NaN need no care: one product does. (1.0, by far the most common alpha, is among them.)
  template <class Real>
  static ONNX_ACTS_HD inline bool ScalesExactly(Real alpha) {
    using L = RealLayout<Real>;
    const bool is_power = (BitCast<typename L::Bits>(alpha) & L::kFractionMask) == 0;
    return (is_power && !IsTiny(alpha)) || alpha == Real(0) || !(alpha == alpha);
  }

  template <bool kScalesExactly, class Real>
  static ONNX_ACTS_HD inline Real Apply(Real x, Real alpha) {
    const Real y = kScalesExactly ? alpha * Expm1(x) : ScaledExpm1(x, alpha);
    return x < Real(0) ? y : x;
  }

  // Near zero, y = alpha x (1 + x/2 + ...); far below, y = -alpha (1 - exp(x)). A double loses the
  // tail for |x| < 2^-44 or x < -32 and holds alpha x or -alpha. These have 35 bits at most and may
  // lie exactly half-way between two 16-bit numbers; the true value is nearer to zero, which
  // decides how to round. Half-way points apart, no 16-bit rounding is as sensitive as 2^-45.
  static ONNX_ACTS_HD inline double BreakTie(double x, double y, double) {
    const bool near_zero = x < 0.0 && x > -0x1p-44;
    const bool far_below = x < -32.0 && x > -0x1p1000;
    return near_zero || far_below ? y * (1.0 - 0x1p-45) : y;
  }
};

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_FUNCTORS_H_
