// What one thread of a grid does. CUDA compiles this text for the device (loop_cuda.cu), and the
// tests compile it for the host, where a loop takes the place of the grid.
//
// A "thread" is a struct with Args, passed by value, Element, and Run(args, lane).
#ifndef ONNX_ACTS_DEVICE_LOOPS_H_
#define ONNX_ACTS_DEVICE_LOOPS_H_

#include <math.h>

#include "activations/functors.h"
#include "activations/philox.h"
#include "activations/storage.h"
#include "cuda/device_map.h"
#include "cuda/device_packs.h"

namespace onnx_acts {

struct UniformArgs {
  const void* x;
  void* y;
  uint32_t count;
  float parameter32;
  double parameter64;
};

struct SlopeArgs {
  const void* x;
  const void* slope;
  void* y;
  uint32_t count;
  SlopeMap map;
};

// The draw of `word`, from [lower, lower + width), lies between word * step + below and
// word * step + above, in float.
struct DrawBounds {
  float below, above, step;
};

// With scale = |lower| + width the product and the sum in float are off by 2^-24 (5 width + 2
// |lower|) at most: the step, the word, the product, the sum, and the bound itself are rounded.
// Where that may be wrong, because numbers are subnormal or infinite, the bounds are infinite.
inline DrawBounds BoundsOf(double lower, double width) {
  const double scale = (lower < 0 ? -lower : lower) + width;
  if (!(scale > 0x1p-90 && scale < 0x1p90)) return {-INFINITY, INFINITY, 0.0f};
  const double off = 0x6p-24 * scale;
  return {static_cast<float>(lower - off), static_cast<float>(lower + off),
          static_cast<float>(width * 0x1p-32)};
}

struct DrawArgs {
  const void* x;
  void* y;      // null: the noise alone is wanted
  void* noise;  // null: Y alone is wanted
  uint32_t count;
  uint64_t first_block;  // of random words: the number of the first element over 4
  uint64_t seed;
  double lower, width;
  DrawBounds bounds = BoundsOf(lower, width);
  PhiloxKeys keys = PhiloxKeysOf(seed);
};

struct LookupArgs {
  const void* x;
  void* y;
  uint32_t count;
  const uint16_t* table;  // y for the 2^15 16-bit patterns whose sign bit is set
};

constexpr uint32_t kTableEntries = 1u << 15;

namespace {

// f(x, parameter) for an x of 16 bits, in a float that T::FromFloat rounds as it would round the
// exact value: the exact value itself, or that rounded to odd.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_HD inline float Exactly(float x, float parameter) {
  if constexpr (F::template kFloatAccuracy<kScalesExactly> == FloatAccuracy::kExact) {
    return F::template Apply<kScalesExactly>(x, parameter);
  } else {
#ifdef __CUDA_ARCH__
    return F::ToOdd(x, parameter);
#else
    const double wide = static_cast<double>(x), exact = static_cast<double>(parameter);
    return T::Narrow(F::template Apply<kScalesExactly>(wide, exact));
#endif
  }
}

// y(i, x) for negative elements of 16 bits, two at a time; the others keep their bits.
template <class T, class Function>
ONNX_ACTS_HD inline void Map16(Pack<T>& pack, const Function& y) {
  ONNX_ACTS_UNROLL
  for (uint32_t i = 0; i < kPack<T>; i += 2) {
    const float first = pack.at[i].ToFloat(), second = pack.at[i + 1].ToFloat();
    const uint32_t bits = T::FromFloats(y(i, first), y(i + 1, second));
    if (first < 0.0f) pack.at[i].bits = static_cast<uint16_t>(bits);
    if (second < 0.0f) pack.at[i + 1].bits = static_cast<uint16_t>(bits >> 16);
  }
}

template <class Real>
ONNX_ACTS_HD inline Real Parameter(const UniformArgs& args) {
  return sizeof(Real) == 4 ? static_cast<Real>(args.parameter32)
                           : static_cast<Real>(args.parameter64);
}

// y = f(x, parameter)
template <class F, bool kScalesExactly, class T>
struct UniformThread {
  using Args = UniformArgs;
  using Element = T;

  static ONNX_ACTS_HD inline void Run(const Args& args, Lane lane) {
    using Real = typename Storage<T>::Real;
    const Real parameter = Parameter<Real>(args);
    ForEachPack<T>(args.x, args.y, args.count, lane, [=](Pack<T>& pack, uint32_t, uint32_t) {
      if constexpr (Storage<T>::k16Bits) {
        Map16(pack, [=](uint32_t, float x) { return Exactly<F, kScalesExactly, T>(x, parameter); });
      } else {
        ONNX_ACTS_UNROLL
        for (uint32_t i = 0; i < kPack<T>; ++i) {
          pack.at[i] = F::template Apply<kScalesExactly>(pack.at[i], parameter);
        }
      }
    });
  }
};

// slope * x for x < 0, else x, with slopes of the element type: products are exact in the compute
// type, or rounded to it if that is the element type.
template <class T>
ONNX_ACTS_HD inline void Multiply(Pack<T>& pack, const Pack<T>& slopes) {
  if constexpr (Storage<T>::k16Bits) {
    Map16(pack, [&](uint32_t i, float x) {
      return NegativeSlope::Apply<true>(x, slopes.at[i].ToFloat());
    });
  } else {
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < kPack<T>; ++i) {
      pack.at[i] = NegativeSlope::Apply<true>(pack.at[i], slopes.at[i]);
    }
  }
}

// The slopes of elements [first, first + n).
template <class T, SlopeKind kKind>
ONNX_ACTS_HD inline Pack<T> SlopesOf(const SlopeArgs& args, uint32_t first, uint32_t n) {
  const T* slopes = static_cast<const T*>(args.slope);
  const SlopeMap& map = args.map;
  if constexpr (kKind == SlopeKind::kColumns) {
    const uint32_t index = map.Index(first);
    return Load(slopes, index, n, n == kPack<T> && IsAligned(slopes));
  } else if constexpr (kKind == SlopeKind::kRows) {
    const FastDivisor& length = map.dimensions[0].divisor;
    const uint32_t row = map.rank > 1 ? length.Quotient(first) : 0;
    const T here = slopes[map.Index(row, 1)];
    const uint32_t left = map.rank > 1 ? (row + 1) * length.size - first : n;
    const T next = left < n ? slopes[map.Index(row + 1, 1)] : here;
    Pack<T> pack;
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < kPack<T>; ++i) pack.at[i] = i < left ? here : next;
    return pack;
  } else {
    Pack<T> pack = {};
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < kPack<T>; ++i) {
      if (i < n) pack.at[i] = slopes[map.Index(first + i)];
    }
    return pack;
  }
}

// PReLU.
template <SlopeKind kKind, class T>
struct SlopeThread {
  using Args = SlopeArgs;
  using Element = T;

  static ONNX_ACTS_HD inline void Run(const Args& args, Lane lane) {
    ForEachPack<T>(args.x, args.y, args.count, lane,
                   [&args](Pack<T>& pack, uint32_t first, uint32_t n) {
                     Multiply(pack, SlopesOf<T, kKind>(args, first, n));
                   });
  }
};

// RReLU in training: the draw in float64, rounded to the compute type and then to the element type.
template <class T>
struct DrawThread {
  using Args = DrawArgs;
  using Element = T;

  static ONNX_ACTS_HD inline T Slope(const Args& args, uint32_t word) {
    using S = Storage<T>;
    const double draw = UniformDraw(word, args.lower, args.width);
    return S::Write(static_cast<typename S::Real>(draw));
  }

  // 16-bit slopes of two words. Where both bounds of a draw are the same number, the draw is that
  // too, since rounding is monotone: float64, which is slow on most GPUs, is for the others.
  static ONNX_ACTS_HD inline uint32_t SlopesOf2(const Args& args, const uint32_t* word) {
    const float first = static_cast<float>(word[0]) * args.bounds.step;
    const float second = static_cast<float>(word[1]) * args.bounds.step;
    const float below = args.bounds.below, above = args.bounds.above;
    const uint32_t low = T::FromFloats(first + below, second + below);
    const uint32_t high = T::FromFloats(first + above, second + above);
    if (low == high) return low;
    return Slope(args, word[0]).bits | uint32_t{Slope(args, word[1]).bits} << 16;
  }

  static ONNX_ACTS_HD inline Pack<T> Slopes(const Args& args, uint32_t first) {
    constexpr uint32_t kWords = Lesser(kPack<T>, 4u);  // of a block, for this pack
    Pack<T> slopes;
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < kPack<T>; i += kWords) {
      const PhiloxBlock block = PhiloxForElements(args.keys, args.first_block + (first + i) / 4);
      if constexpr (Storage<T>::k16Bits) {
        ONNX_ACTS_UNROLL
        for (uint32_t j = 0; j < kWords; j += 2) {
          const uint32_t both = SlopesOf2(args, block.word + j);
          slopes.at[i + j].bits = static_cast<uint16_t>(both);
          slopes.at[i + j + 1].bits = static_cast<uint16_t>(both >> 16);
        }
      } else {
        // A pack of two takes the first or the second half of a block.
        const bool is_second = kWords < 4 && first % 4 != 0;
        ONNX_ACTS_UNROLL
        for (uint32_t j = 0; j < kWords; ++j) {
          slopes.at[i + j] = Slope(args, block.word[is_second ? 4 - kWords + j : j]);
        }
      }
    }
    return slopes;
  }

  static ONNX_ACTS_HD inline void Run(const Args& args, Lane lane) {
    using S = Storage<T>;
    const T* from = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    T* noise = static_cast<T*>(args.noise);
    const bool from_aligned = IsAligned(from), y_aligned = IsAligned(y);
    const bool noise_aligned = IsAligned(noise);
    const T one = S::Write(typename S::Real(1));
    const uint32_t packs = (args.count + kPack<T> - 1) / kPack<T>;
    for (uint32_t i = lane.index; i < packs; i += lane.count) {
      const uint32_t first = i * kPack<T>, n = Lesser(kPack<T>, args.count - first);
      const bool whole = n == kPack<T>;
      Pack<T> x = Load(from, first, n, whole && from_aligned);
      Pack<T> slopes = Slopes(args, first), drawn;
      ONNX_ACTS_UNROLL
      for (uint32_t j = 0; j < kPack<T>; ++j) {
        drawn.at[j] = S::Read(x.at[j]) < 0 ? slopes.at[j] : one;
      }
      Multiply(x, slopes);
      if (noise != nullptr) Store(drawn, noise, first, n, whole && noise_aligned);
      if (y != nullptr) Store(x, y, first, n, whole && y_aligned);
    }
  }
};

// 16-bit elements by a functor that is rough in float: y from a table in device memory, which the
// caches hold. (Blocks that share a copy of it take 10 % longer on an H200, for any values.)
// Elements that are not negative keep their bits.
struct LookupThread {
  using Args = LookupArgs;
  using Element = uint16_t;

  static ONNX_ACTS_HD inline void Run(const Args& args, Lane lane) {
    const uint16_t* table = args.table;
    ForEachPack<uint16_t>(args.x, args.y, args.count, lane,
                          [=](Pack<uint16_t>& pack, uint32_t, uint32_t) {
                            ONNX_ACTS_UNROLL
                            for (uint32_t i = 0; i < kPack<uint16_t>; ++i) {
                              const uint32_t bits = pack.at[i];
                              if (bits >= kTableEntries) pack.at[i] = table[bits - kTableEntries];
                            }
                          });
  }
};

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_LOOPS_H_
