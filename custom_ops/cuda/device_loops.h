// What one thread of a grid does. CUDA compiles this text for the device (loop_cuda.cu), and the
// tests compile it for the host, where a loop takes the place of the grid.
//
// A "thread" is a struct with Args, passed by value, Element, and Run(args, lane).
#ifndef ONNX_ACTS_DEVICE_LOOPS_H_
#define ONNX_ACTS_DEVICE_LOOPS_H_

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

struct DrawArgs {
  const void* x;
  void* y;      // null: the noise alone is wanted
  void* noise;  // null: Y alone is wanted
  uint32_t count;
  uint64_t first_block;  // of random words: the number of the first element over 4
  uint64_t seed;
  double lower, width;
};

struct LookupArgs {
  const void* x;
  void* y;
  uint32_t count;
  const uint16_t* table;  // y for the 2^15 16-bit patterns whose sign bit is set
};

constexpr uint32_t kTableEntries = 1u << 15;

namespace {

// A result that T::FromFloat rounds as it would round the exact value: y rounded to odd or, for the
// few elements where float has lost the rest, computed in double; see ApplyToOdd on the CPU.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_HD inline float Exactly(float x, float y, float parameter) {
  if (!T::LossIsLost(y)) return RoundedToOdd(y, F::Lost(x, y, parameter));
  const double wide = static_cast<double>(x), exact = static_cast<double>(parameter);
  return T::Narrow(F::BreakTie(wide, F::template Apply<kScalesExactly>(wide, exact), exact));
}

// 16-bit elements by a functor that gives the exact value in float or the nearest number, which is
// enough but beside half-way points. Elements that are not negative keep their bits.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_HD inline void Apply16(Pack<T>& pack, float parameter) {
  using S = Storage<T>;
  constexpr bool kNearest = F::template kFloatAccuracy<kScalesExactly> == FloatAccuracy::kNearest;
  float x[kPack<T>], y[kPack<T>];
  bool near_tie = false;
  ONNX_ACTS_UNROLL
  for (uint32_t i = 0; i < kPack<T>; ++i) {
    x[i] = S::Read(pack.at[i]);
    y[i] = F::template Apply<kScalesExactly>(x[i], parameter);
    if constexpr (kNearest) near_tie = near_tie || T::NearTie(y[i]);
  }
  if constexpr (kNearest) {
    if (near_tie) {
      ONNX_ACTS_UNROLL
      for (uint32_t i = 0; i < kPack<T>; ++i)
        y[i] = Exactly<F, kScalesExactly, T>(x[i], y[i], parameter);
    }
  }
  ONNX_ACTS_UNROLL
  for (uint32_t i = 0; i < kPack<T>; ++i) {
    pack.at[i] = x[i] < 0.0f ? S::Write(y[i]) : pack.at[i];
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
        Apply16<F, kScalesExactly>(pack, parameter);
      } else {
        ONNX_ACTS_UNROLL
        for (uint32_t i = 0; i < kPack<T>; ++i) {
          pack.at[i] = F::template Apply<kScalesExactly>(pack.at[i], parameter);
        }
      }
    });
  }
};

// slope * x for x < 0, else x, with a slope of the element type: exact in the compute type, or
// rounded to it if that is the element type.
template <class T>
ONNX_ACTS_HD inline T WithSlope(T x, T slope) {
  using S = Storage<T>;
  const auto wide = S::Read(x);
  const auto y = NegativeSlope::Apply<true>(wide, S::Read(slope));
  return wide < 0 ? S::Write(y) : x;
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
                     const Pack<T> slopes = SlopesOf<T, kKind>(args, first, n);
                     ONNX_ACTS_UNROLL
                     for (uint32_t i = 0; i < kPack<T>; ++i) {
                       pack.at[i] = WithSlope(pack.at[i], slopes.at[i]);
                     }
                   });
  }
};

// RReLU in training: the draw in float64, rounded to the compute type and then to the element type.
template <class T>
struct DrawThread {
  using Args = DrawArgs;
  using Element = T;

  static ONNX_ACTS_HD inline Pack<T> Slopes(const Args& args, uint32_t first) {
    using S = Storage<T>;
    Pack<T> slopes;
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < kPack<T>; i += 4) {
      const PhiloxBlock block = PhiloxForElements(args.seed, args.first_block + (first + i) / 4);
      ONNX_ACTS_UNROLL
      for (uint32_t j = 0; j < 4; ++j) {
        const double draw = UniformDraw(block.word[j], args.lower, args.width);
        slopes.at[i + j] = S::Write(static_cast<typename S::Real>(draw));
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
        x.at[j] = WithSlope(x.at[j], slopes.at[j]);
      }
      if (noise != nullptr) Store(drawn, noise, first, n, whole && noise_aligned);
      if (y != nullptr) Store(x, y, first, n, whole && y_aligned);
    }
  }
};

// 16-bit elements by a functor that is rough in float: y from a table, which lies in device memory
// or in a copy that the block's threads share. Elements that are not negative keep their bits.
struct LookupThread {
  using Args = LookupArgs;
  using Element = uint16_t;

  static ONNX_ACTS_HD inline void Run(const Args& args, const uint16_t* table, Lane lane) {
    ForEachPack<uint16_t>(args.x, args.y, args.count, lane,
                          [=](Pack<uint16_t>& pack, uint32_t, uint32_t) {
                            ONNX_ACTS_UNROLL
                            for (uint32_t i = 0; i < kPack<uint16_t>; ++i) {
                              const uint32_t bits = pack.at[i];
                              if (bits >= kTableEntries) pack.at[i] = table[bits - kTableEntries];
                            }
                          });
  }

  // The share of one thread of a block in copying the table.
  static ONNX_ACTS_HD inline void Fill(const Args& args, uint16_t* table, uint32_t thread,
                                       uint32_t threads) {
    const Word16* from = reinterpret_cast<const Word16*>(args.table);
    Word16* to = reinterpret_cast<Word16*>(table);
    constexpr uint32_t kWords = kTableEntries * sizeof(uint16_t) / sizeof(Word16);
    for (uint32_t i = thread; i < kWords; i += threads) to[i] = from[i];
  }
};

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_LOOPS_H_
