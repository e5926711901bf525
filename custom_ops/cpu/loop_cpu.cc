// The loops over elements, written once; CMake compiles this file once per instruction-set level
// and names the table by ONNX_ACTS_LOOPS. Only that table leaves the object: everything else is in
// unnamed namespaces, and no inline function of the standard library is used, lest the linker share
// AVX-512 code with older processors.

#include "activations/functors.h"
#include "activations/philox.h"
#include "activations/storage.h"
#include "cpu/blocks.h"
#include "cpu/combined_loops.h"
#include "cpu/loops.h"
#include "cpu/quantized_loops.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace onnx_acts {

extern const Loops ONNX_ACTS_LOOPS;

namespace {

// 16-bit elements are widened, computed and narrowed a block at a time, in the first-level cache.
#ifdef __AVX512F__
constexpr int64_t kBlock = 256;
#else
constexpr int64_t kBlock = 64;
#endif

// A piece of a block with a doubtful element is computed again, in double.
constexpr int64_t kPiece = 64;

template <class F>
constexpr Results16 Results16Of() {
  switch (F::template kFloatAccuracy<true>) {
    case FloatAccuracy::kRough:
      return Results16::kLookedUp;
    case FloatAccuracy::kWithinOneUlp:
      return Results16::kEither;
    default:
      return Results16::kComputed;
  }
}

// body(start, size) for blocks of a constant size, which the compiler unrolls, and for the rest.
template <class Body>
ONNX_ACTS_INLINE void ForEachBlock(int64_t n, const Body& body) {
  int64_t start = 0;
  for (; start + kBlock <= n; start += kBlock) body(start, kBlock);
  if (start < n) body(start, n - start);
}

// Asks for elements that a loop over 16-bit blocks will soon need. The processor does not see them
// coming while it works in the block: without, 25.7 million bfloat16 elements took ELU 0.31 ns
// each, with 0.23.
template <class T>
ONNX_ACTS_INLINE void Prefetch(const T* x, const T* y) {
  constexpr int64_t kAhead = 1024, kLine = 64 / static_cast<int64_t>(sizeof(T));
  for (int64_t i = kAhead; i < kAhead + kBlock; i += kLine) {
    __builtin_prefetch(x + i, 0);
    __builtin_prefetch(y + i, 1);
  }
}

// The iterations of every loop below are independent, although y may be x: ONNX_ACTS_IVDEP.

template <class F, bool kScalesExactly, class Real>
ONNX_ACTS_INLINE void ApplyUniform(const Real* x, Real* y, int64_t n, Real parameter) {
  ONNX_ACTS_IVDEP
  for (int64_t i = 0; i < n; ++i) y[i] = F::template Apply<kScalesExactly>(x[i], parameter);
}

template <class Real>
ONNX_ACTS_INLINE void ApplyEach(const Real* x, const Real* slope, Real* y, int64_t n) {
  ONNX_ACTS_IVDEP
  for (int64_t i = 0; i < n; ++i) {
    y[i] = NegativeSlope::Apply<true>(x[i], slope[i]);
  }
}

// In double: one rounding, to 16 bits, from what is as good as the exact value: see BreakTie,
// Narrow.
template <class F, bool kScalesExactly, class T>
__attribute__((noinline)) void ApplyExactly(const T* x, float* y, int64_t n, float parameter) {
  const double wide = static_cast<double>(parameter);
  Widen(x, y, n);
  for (int64_t i = 0; i < n; ++i) {
    const double value = static_cast<double>(y[i]);
    y[i] = T::Narrow(F::BreakTie(value, F::template Apply<kScalesExactly>(value, wide), wide));
  }
}

template <class T>
ONNX_ACTS_INLINE bool AnyLossIsLost(const float* y, int64_t n) {
  uint32_t any = 0;
  for (int64_t i = 0; i < n; ++i) any |= T::LossIsLost(y[i]) ? 1u : 0u;
  return any != 0;
}

// For functors that give the nearest float: what they lost decides.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_INLINE void ApplyToOdd(const T* x, float* y, int64_t n, float parameter) {
  float wide[kBlock];
  Widen(x, wide, n);
  ApplyUniform<F, kScalesExactly>(wide, y, n, parameter);
  const bool again = AnyLossIsLost<T>(y, n);
  for (int64_t i = 0; i < n; ++i) y[i] = RoundedToOdd(y[i], F::Lost(wide[i], y[i], parameter));
  if (again) ApplyExactly<F, kScalesExactly>(x, y, n, parameter);
}

// For functors within one unit: the few pieces with a result beside a half-way point are computed
// again.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_INLINE void ApplyAndCheck(const T* x, float* y, int64_t n, float parameter) {
  Widen(x, y, n);
  ApplyUniform<F, kScalesExactly>(y, y, n, parameter);
  for (int64_t at = 0; at < n; at += kPiece) {
    const int64_t size = Lesser(kPiece, n - at);
    if (AnyNearTie<T>(y + at, size))
      ApplyExactly<F, kScalesExactly>(x + at, y + at, size, parameter);
  }
}

// Results that FromFloat rounds like the exact ones.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_INLINE void ApplyBlock16(const T* x, float* y, int64_t n, float parameter) {
  constexpr FloatAccuracy kFloatAccuracy = F::template kFloatAccuracy<kScalesExactly>;
  if constexpr (kFloatAccuracy == FloatAccuracy::kRough) {
    ApplyExactly<F, kScalesExactly>(x, y, n, parameter);
  } else if constexpr (kFloatAccuracy == FloatAccuracy::kWithinOneUlp) {
    ApplyAndCheck<F, kScalesExactly>(x, y, n, parameter);
  } else if constexpr (kFloatAccuracy == FloatAccuracy::kNearest) {
    ApplyToOdd<F, kScalesExactly>(x, y, n, parameter);
  } else {
    Widen(x, y, n);
    ApplyUniform<F, kScalesExactly>(y, y, n, parameter);
  }
}

template <class F, bool kScalesExactly, class T>
void ApplyUniform16(const T* x, T* y, int64_t n, float parameter) {
  ForEachBlock(n, [=](int64_t start, int64_t size) ONNX_ACTS_INLINE_LAMBDA {
    float block[kBlock];
    Prefetch(x + start, y + start);
    ApplyBlock16<F, kScalesExactly>(x + start, block, size, parameter);
    Shorten(block, y + start, size);
  });
}

// y = f(x, parameter) for any element type.
template <class F, bool kScalesExactly, class T>
ONNX_ACTS_INLINE void ApplyTo(const T* x, T* y, int64_t n, typename Storage<T>::Real parameter) {
  if constexpr (Storage<T>::k16Bits) {
    ApplyUniform16<F, kScalesExactly>(x, y, n, parameter);
  } else {
    ApplyUniform<F, kScalesExactly>(x, y, n, parameter);
  }
}

template <class F, class T>
void Uniform(const void* x, void* y, int64_t n, double parameter) {
  const auto rounded = static_cast<typename Storage<T>::Real>(parameter);
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  if (F::ScalesExactly(rounded)) {
    ApplyTo<F, true>(from, to, n, rounded);
  } else {
    ApplyTo<F, false>(from, to, n, rounded);
  }
}

// Slopes of the element type: the product of two 16-bit elements is exact in float, except below
// 2^-149, where it is too small to matter.

template <class T>
void OneSlope(const void* x, const void* slope, void* y, int64_t n) {
  const auto one = Storage<T>::Read(*static_cast<const T*>(slope));
  ApplyTo<NegativeSlope, true>(static_cast<const T*>(x), static_cast<T*>(y), n, one);
}

template <class T>
ONNX_ACTS_INLINE void ApplyEach16(const T* x, const T* slope, T* y, int64_t n) {
  ForEachBlock(n, [=](int64_t start, int64_t size) ONNX_ACTS_INLINE_LAMBDA {
    float block[kBlock], slopes[kBlock];
    Prefetch(x + start, y + start);
    Widen(x + start, block, size);
    Widen(slope + start, slopes, size);
    ApplyEach(block, slopes, block, size);
    Shorten(block, y + start, size);
  });
}

template <class T>
void EachSlope(const void* x, const void* slope, void* y, int64_t n) {
  const T* from = static_cast<const T*>(x);
  const T* each = static_cast<const T*>(slope);
  T* to = static_cast<T*>(y);
  if constexpr (Storage<T>::k16Bits) {
    ApplyEach16(from, each, to, n);
  } else {
    ApplyEach(from, each, to, n);
  }
}

// The random words of the kBlock elements from `first` on, a multiple of 4.
void DrawWords(uint64_t seed, int64_t first, uint32_t* words) {
  ONNX_ACTS_IVDEP
  for (int64_t i = 0; i < kBlock / 4; ++i) {
    const PhiloxBlock block = PhiloxForElements(seed, static_cast<uint64_t>(first / 4 + i));
    words[4 * i] = block.word[0];
    words[4 * i + 1] = block.word[1];
    words[4 * i + 2] = block.word[2];
    words[4 * i + 3] = block.word[3];
  }
}

// The draw in float64, rounded to the compute type and then to the element type.
template <class T>
void Draw(uint64_t seed, int64_t first, int64_t n, double lower, double width, void* slope) {
  using S = Storage<T>;
  T* to = static_cast<T*>(slope);
  uint32_t words[kBlock];
  for (int64_t start = 0; start < n; start += kBlock) {
    DrawWords(seed, first + start, words);
    const int64_t size = Lesser(kBlock, n - start);
    for (int64_t i = 0; i < size; ++i) {
      const double draw = UniformDraw(words[i], lower, width);
      to[start + i] = S::Write(static_cast<typename S::Real>(draw));
    }
  }
}

template <class T>
void Noise(const void* x, const void* slope, void* noise, int64_t n) {
  using S = Storage<T>;
  using Real = typename S::Real;
  const T* from = static_cast<const T*>(x);
  const T* each = static_cast<const T*>(slope);
  T* to = static_cast<T*>(noise);
  const T one = S::Write(Real(1));
  ONNX_ACTS_IVDEP
  for (int64_t i = 0; i < n; ++i) to[i] = S::Read(from[i]) < Real(0) ? each[i] : one;
}

void Lookup(const uint16_t* x, uint16_t* y, int64_t n, const uint16_t* table) {
  for (int64_t i = 0; i < n; ++i) {
    y[i] = table[x[i]];
    // Keeps GCC from vector code: "gather" instructions were measured to take 1.5 times as long.
    __asm__ volatile("");
  }
}

// The widest store of the level: of few wide ones, more bytes are on their way at a time.
#if defined(__AVX512F__)
using Wide = __m512i;
void StreamOne(Wide* to, Wide value) { _mm512_stream_si512(to, value); }
#elif defined(__AVX__)
using Wide = __m256i;
void StreamOne(Wide* to, Wide value) { _mm256_stream_si256(to, value); }
#elif defined(__SSE2__)
using Wide = __m128i;
void StreamOne(Wide* to, Wide value) { _mm_stream_si128(to, value); }
#endif

#ifdef __SSE2__
void StreamLines(const void* lines, void* to, int64_t bytes) {
  const auto* from = static_cast<const Wide*>(lines);
  const int64_t count = bytes / static_cast<int64_t>(sizeof(Wide));
  for (int64_t i = 0; i < count; ++i) StreamOne(static_cast<Wide*>(to) + i, from[i]);
}
#else
constexpr Loops::Stream StreamLines = nullptr;
#endif

template <class T>
constexpr ElementLoops LoopsOf() {
  return {{
#define ONNX_ACTS_FUNCTOR(name) Uniform<name, T>,
#include "op_table.inc"
          },
          OneSlope<T>,
          EachSlope<T>,
          Draw<T>,
          Noise<T>};
}

}  // namespace

const Loops ONNX_ACTS_LOOPS = {
    ONNX_ACTS_HAS_FMA != 0,
    {
#define ONNX_ACTS_ELEMENT(name, text, onnx, storage, compute) LoopsOf<storage>(),
#include "op_table.inc"
    },
    {
#define ONNX_ACTS_FUNCTOR(name) Results16Of<name>(),
#include "op_table.inc"
    },
    Lookup,
    {OneSlopeOfBytes, EachSlopeOfBytes, OneFactorOfBytes, EachFactorOfBytes, LookupBytes},
    StreamLines,
};

}  // namespace onnx_acts
