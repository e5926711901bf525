// The arithmetic of the CUDA kernels, thread by thread on the host: divisions, which elements and
// slopes a thread takes, aligned and not, every layout, and tensors cut into launches.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "cpu/slopes_oracle.h"
#include "cuda/device_loops.h"
#include "cuda/device_packs.h"
#include "fakes/cases.h"

namespace onnx_acts {
namespace {

uint32_t Draw(std::mt19937& random) { return static_cast<uint32_t>(random()); }

void CheckDivisor(uint32_t n, uint32_t size) {
  CHECK(MakeFastDivisor(size).Quotient(n) == n / size, "%u / %u", n, size);
}

// Every multiple's neighbours are where a wrong factor shows.
TEST(Divisions, "products by a factor are divisions") {
  std::mt19937 random(31);
  const uint32_t top = (1u << 31) - 1;
  for (int round = 0; round < 300000; ++round) {
    const uint32_t divisor = std::max(Draw(random) >> (1 + Draw(random) % 29), 2u);
    const uint32_t multiple = Draw(random) % (top / divisor + 1) * divisor;
    for (const uint32_t n : {multiple, multiple - 1, multiple + 1, top, Draw(random) & top}) {
      if (n <= top) CheckDivisor(n, divisor);
    }
  }
  for (uint32_t size = 2; size < 300; ++size) {
    for (uint32_t n = 0; n < 3000; ++n) CheckDivisor(n, size);
  }
}

// Elements between bytes that nothing may write, `shift` elements past an aligned address. What is
// only read ends where its memory ends, so that a sanitizer sees reads past it.
template <class T>
class Guarded {
 public:
  Guarded(int64_t count, std::size_t shift, bool written)
      : begin_(kMargin + shift * sizeof(T)),
        end_(begin_ + static_cast<std::size_t>(count) * sizeof(T)),
        size_(end_ + (written ? kMargin : 0)),
        bytes_(nullptr) {
    void* memory = nullptr;
    if (posix_memalign(&memory, kMargin, size_) != 0) std::abort();
    bytes_ = static_cast<unsigned char*>(std::memset(memory, kGuard, size_));
  }
  ~Guarded() { std::free(bytes_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return reinterpret_cast<T*>(bytes_ + begin_); }

  bool Untouched() const {
    for (std::size_t i = 0; i < size_; ++i) {
      if ((i < begin_ || i >= end_) && bytes_[i] != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned char kGuard = 0xa5;
  static constexpr std::size_t kMargin = 64;
  std::size_t begin_, end_, size_;
  unsigned char* bytes_;
};

struct Shift {
  std::size_t x, slope, y;
};

// How many lanes; from one to more than there are packs.
constexpr uint32_t kLanes[] = {1, 2, 7, 96, 5000};

// Each element is read once and written once, by whichever thread; nothing beside them is touched.
template <class T>
void TestEachElementOnce(int64_t count, Shift shift, uint32_t lanes) {
  Guarded<T> x(count, shift.x, false), y(count, shift.y, true);
  for (int64_t i = 0; i < count; ++i) x.data()[i] = static_cast<T>(i);
  std::vector<int> times(static_cast<std::size_t>(count), 0);
  for (uint32_t i = 0; i < lanes; ++i) {
    const auto step = [&](Pack<T>& pack, uint32_t first, uint32_t n) {
      for (uint32_t j = 0; j < n; ++j) {
        CHECK(pack.at[j] == static_cast<T>(first + j), "element %u", first + j);
        ++times[first + j];
        pack.at[j] = static_cast<T>(pack.at[j] + T{1});
      }
    };
    ForEachPack<T>(x.data(), y.data(), static_cast<uint32_t>(count), {i, lanes}, step);
  }
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    CHECK(times[at] == 1, "element %zu of %lld, %d times", at, static_cast<long long>(count),
          times[at]);
    CHECK(y.data()[i] == static_cast<T>(i + 1), "element %zu was not written", at);
  }
  CHECK(x.Untouched() && y.Untouched(), "count %lld", static_cast<long long>(count));
}

template <class T>
void CheckElements() {
  for (const uint32_t lanes : kLanes) {
    for (int64_t count = 0; count < 70; ++count) TestEachElementOnce<T>(count, {}, lanes);
    for (const int64_t count : {511, 512, 513, 4099}) {
      for (const Shift shift : {Shift{}, Shift{1, 0, 0}, Shift{0, 0, 1}, Shift{3, 0, 2}}) {
        TestEachElementOnce<T>(count, shift, lanes);
      }
    }
  }
}

TEST(Elements, "each element is read once and written once, and nothing beside them") {
  CheckElements<uint16_t>();
  CheckElements<float>();
  CheckElements<double>();
}

template <class T>
T Whole(int64_t value) {  // values that every type holds exactly
  if constexpr (Storage<T>::k16Bits)
    return Storage<T>::Write(static_cast<float>(value % 128));
  else
    return static_cast<T>(value);
}

template <class T>
double Value(T value) {
  return static_cast<double>(Storage<T>::Read(value));
}

template <class T>
void RunKind(SlopeKind kind, const SlopeArgs& args, uint32_t lanes) {
  for (uint32_t i = 0; i < lanes; ++i) {
    const Lane lane = {i, lanes};
    if (kind == SlopeKind::kRows) SlopeThread<SlopeKind::kRows, T>::Run(args, lane);
    if (kind == SlopeKind::kColumns) SlopeThread<SlopeKind::kColumns, T>::Run(args, lane);
    if (kind == SlopeKind::kAny) SlopeThread<SlopeKind::kAny, T>::Run(args, lane);
  }
}

// y = -slope, since x is -1 everywhere: each element shows which slope it met. With a limit, by
// several launches. kAny serves every layout, and is tried on each.
template <class T>
void TestSlopes(const Sizes& x_sizes, const Sizes& slope_sizes, Shift shift, int64_t limit,
                uint32_t lanes) {
  const int64_t count = Product(x_sizes), slopes = Product(slope_sizes);
  const SlopeLayout layout =
      CollapseShapes(slope_sizes.data(), slope_sizes.size(), x_sizes.data(), x_sizes.size());
  for (const bool any : {false, true}) {
    Guarded<T> x(count, shift.x, false), slope(slopes, shift.slope, false);
    Guarded<T> y(count, shift.y, true);
    for (int64_t i = 0; i < count; ++i) x.data()[i] = Storage<T>::Write(-1);
    for (int64_t i = 0; i < slopes; ++i) slope.data()[i] = Whole<T>(i + 1);
    const auto launch = [&](const SlopeLayout& part, int64_t size, int64_t first, int64_t start) {
      CHECK(size <= limit, "a part of %lld", static_cast<long long>(size));
      const SlopeArgs args = {x.data() + first, slope.data() + start, y.data() + first,
                              static_cast<uint32_t>(size), MakeSlopeMap(part)};
      RunKind<T>(any ? SlopeKind::kAny : KindOf(part, kPack<T>), args, lanes);
    };
    ForEachPart(layout, limit, launch);
    for (int64_t i = 0; i < count; ++i) {
      const double want = -Value(Whole<T>(NaiveSlopeIndex(x_sizes, slope_sizes, i) + 1));
      CHECK(Value(y.data()[i]) == want, "element %lld, x %s, slope %s, lanes %u, any %d",
            static_cast<long long>(i), Text(x_sizes).c_str(), Text(slope_sizes).c_str(), lanes,
            any);
    }
    CHECK(x.Untouched() && slope.Untouched() && y.Untouched(), "x %s, slope %s",
          Text(x_sizes).c_str(), Text(slope_sizes).c_str());
  }
}

template <class T>
void TestSlopesOfShape(const Sizes& x, const Sizes& slope, std::mt19937& random) {
  const int64_t whole = int64_t{1} << 30;
  const Shift shift = {random() % 4, random() % 4, random() % 4};
  const uint32_t lanes = kLanes[random() % 5];
  TestSlopes<T>(x, slope, {}, whole, lanes);
  TestSlopes<T>(x, slope, shift, whole, lanes);
  TestSlopes<T>(x, slope, {}, 1 + static_cast<int64_t>(random() % 100), lanes);
}

void CheckShapes(const Sizes& x, const Sizes& slope, std::mt19937& random) {
#define ONNX_ACTS_ELEMENT(name, text, onnx, storage, compute) \
  TestSlopesOfShape<storage>(x, slope, random);
#include "op_table.inc"
}

TEST(KnownShapes, "each element meets its slope in every layout") {
  std::mt19937 random(21);
  const Sizes rows[][2] = {
      {{2, 64, 10, 10}, {64, 1, 1}},  // per channel, whole packs
      {{2, 20, 7, 7}, {20, 1, 1}},    // per channel, packs of two channels
      {{3, 5, 2, 2}, {5, 1, 1}},      // per channel, packs of several
      {{50, 3}, {3}},                 // last dimension, shorter than a pack
      {{50, 13}, {13}},               // odd
      {{4, 160}, {160}},              // whole packs
      {{40, 40}, {40, 40}},           // full
      {{41, 43}, {41, 43}},           // full, odd
      {{40, 40}, {}},                 // one slope
      {{}, {}},                       // rank 0
      {{3, 4, 5, 6}, {4, 1, 6}},      // odd ones
      {{3, 4, 5, 16}, {3, 1, 5, 1}},
      {{2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, {2, 1, 2, 1, 2, 1, 2, 1, 2}},  // nothing collapses
  };
  for (const auto& row : rows) CheckShapes(row[0], row[1], random);
}

TEST(RandomShapes, "each element meets its slope in shapes at random") {
  std::mt19937 random(20);
  const int64_t sizes[] = {1, 1, 2, 3, 4, 5, 7, 8, 16};
  for (int round = 0; round < 300; ++round) {
    Sizes x(random() % 7);
    for (int64_t& size : x) size = sizes[random() % 9];
    if (Product(x) > 6000) continue;
    Sizes slope(x.end() - static_cast<std::ptrdiff_t>(random() % (x.size() + 1)), x.end());
    for (int64_t& size : slope) size = random() % 2 == 0 ? 1 : size;
    CheckShapes(x, slope, random);
  }
}

// Or the tests above prove less than they say.
TEST(Kinds, "every kind of slopes is chosen for something") {
  const auto kind = [](const Sizes& x, const Sizes& slope) {
    return KindOf(CollapseShapes(slope.data(), slope.size(), x.data(), x.size()), 8);
  };
  CHECK(kind({2, 64, 112, 112}, {64, 1, 1}) == SlopeKind::kRows, "per channel");
  CHECK(kind({2, 64, 7, 7}, {64, 1, 1}) == SlopeKind::kRows, "per channel, odd");
  CHECK(kind({5, 6}, {}) == SlopeKind::kRows, "one slope");
  CHECK(kind({9, 64}, {64}) == SlopeKind::kColumns, "last dimension");
  CHECK(kind({9, 7}, {9, 7}) == SlopeKind::kColumns, "full");
  CHECK(kind({9, 7}, {7}) == SlopeKind::kAny, "odd last dimension");
  CHECK(kind({9, 3, 2, 2}, {3, 1, 1}) == SlopeKind::kAny, "tiny channels");
}

void CheckLargeLayout(const Sizes& x, const Sizes& slope) {
  const SlopeLayout layout = CollapseShapes(slope.data(), slope.size(), x.data(), x.size());
  int64_t next = 0;
  ForEachPart(layout, kLaunchElements,
              [&](const SlopeLayout& part, int64_t count, int64_t first, int64_t start) {
                CHECK(first == next && count > 0 && count <= kLaunchElements, "at %lld",
                      static_cast<long long>(first));
                next = first + count;
                const SlopeMap map = MakeSlopeMap(part);
                for (const int64_t at : {int64_t{0}, count / 3, count - 1}) {
                  const int64_t got = start + map.Index(static_cast<uint32_t>(at));
                  CHECK(got == NaiveSlopeIndex(x, slope, first + at), "element %lld",
                        static_cast<long long>(first + at));
                }
              });
  CHECK(next == Product(x), "ends at %lld", static_cast<long long>(next));
}

TEST(LargeLayouts, "parts of layouts above 2^32 elements are together the whole") {
  CheckLargeLayout({300, 64, 1000, 1000}, {64, 1, 1});
  CheckLargeLayout({3, 3000000000}, {3, 1});
  CheckLargeLayout({3, 3000000000}, {3000000000});
  CheckLargeLayout({3000000000, 7}, {7});
  CheckLargeLayout({70000, 70000}, {70000, 70000});
  CheckLargeLayout({8000000001}, {});
}

template <class T>
void RunDraws(const DrawArgs& args) {
  for (uint32_t i = 0; i < 3; ++i) DrawThread<T>::Run(args, {i, 3});
}

// The noise where every x is -1: the draws, rounded as the definition says. Y or the noise alone is
// the same as both.
template <class T>
void TestDraws(double lower, double width) {
  using S = Storage<T>;
  constexpr uint32_t kCount = 4003;
  const std::vector<T> x(kCount, S::Write(-1));
  std::vector<T> y(kCount), noise(kCount), only_y(kCount), only_noise(kCount);
  RunDraws<T>({x.data(), y.data(), noise.data(), kCount, 7, 99, lower, width});
  RunDraws<T>({x.data(), only_y.data(), nullptr, kCount, 7, 99, lower, width});
  RunDraws<T>({x.data(), nullptr, only_noise.data(), kCount, 7, 99, lower, width});
  for (uint32_t i = 0; i < kCount; ++i) {
    const uint32_t word = PhiloxForElements(99, 7 + i / 4).word[i % 4];
    const auto want = S::Write(static_cast<typename S::Real>(UniformDraw(word, lower, width)));
    CHECK(std::memcmp(&noise[i], &want, sizeof want) == 0, "draw %u from %g, %g", i, lower, width);
  }
  CHECK(std::memcmp(y.data(), only_y.data(), kCount * sizeof(T)) == 0, "Y alone");
  CHECK(std::memcmp(noise.data(), only_noise.data(), kCount * sizeof(T)) == 0, "noise alone");
}

TEST(Draws, "slopes are the draws in float64, rounded, whatever the range") {
  const std::pair<double, double> ranges[] = {{0.125, 5 / 24.0}, {-0.5, 1.0},    {1e-6, 1e-7},
                                              {3e4, 9e4},        {0.25, 0.0},    {1e-41, 3e-41},
                                              {0.0, 0.0},        {-1e300, 1e299}};
  for (const auto& [lower, width] : ranges) {
#define ONNX_ACTS_ELEMENT(name, text, onnx, storage, compute) TestDraws<storage>(lower, width);
#include "op_table.inc"
  }
}

TEST(Blocks, "a grid has as many blocks as it needs, up to the most") {
  CHECK(BlocksFor(0, 256, 100) == 1, "none");
  CHECK(BlocksFor(1, 256, 100) == 1, "one");
  CHECK(BlocksFor(256, 256, 100) == 1, "a full block");
  CHECK(BlocksFor(257, 256, 100) == 2, "one more");
  CHECK(BlocksFor(1u << 28, 256, 100) == 100, "the most");
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
