// Which of two ways to compute the same is the faster one, found by taking both in turn.
//
// That depends on the processor, on the size, on the number of threads and on what else is in the
// caches, so it is measured where it counts: the first runs of a node take both ways, and the
// later ones take the one whose best run was shorter.
#ifndef ONNX_ACTS_FASTER_WAY_H_
#define ONNX_ACTS_FASTER_WAY_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace onnx_acts {

// Any number of threads may use it at once. Clock is that of the C++ library, or a test's own.
template <class Clock = std::chrono::steady_clock>
class FasterWay {
 public:
  // Runs that are measured, of each size: half of them take the one way, half the other.
  static constexpr int kTrials = 16;

  // Calls body(second), which computes `count` (at least 1) elements: second says in which way.
  template <class Body>
  void Run(int64_t count, const Body& body) {
    Size& size = sizes_[SizeOf(count)];
    if (size.finished.load(std::memory_order_relaxed) >= kTrials) {
      body(size.Best(1) < size.Best(0));
      return;
    }
    const bool second = size.begun.fetch_add(1, std::memory_order_relaxed) % 2 == 1;
    const auto start = Clock::now();
    body(second);
    size.Note(second, (Clock::now() - start).count(), count);
  }

 private:
  // Counts with the same highest bit have one choice.
  static constexpr int kSizes = 64;
  static int SizeOf(int64_t count) { return 63 - __builtin_clzll(static_cast<uint64_t>(count)); }

  struct Size {
    int64_t Best(int way) const { return best[way].load(std::memory_order_relaxed); }

    void Note(bool second, int64_t ticks, int64_t count) {
      // Of 2^20 elements, so that counts of one size compare.
      const double each = static_cast<double>(ticks) / static_cast<double>(count) * 0x1p20;
      const auto time = static_cast<int64_t>(each);
      std::atomic<int64_t>& shortest = best[second ? 1 : 0];
      int64_t before = shortest.load(std::memory_order_relaxed);
      while (time < before && !shortest.compare_exchange_weak(before, time)) {
      }
      finished.fetch_add(1);  // the time is there before
    }

    std::atomic<int> begun{0}, finished{0};
    std::atomic<int64_t> best[2] = {{INT64_MAX}, {INT64_MAX}};
  };

  Size sizes_[kSizes];
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_FASTER_WAY_H_
