// The choice between two ways, with a clock of the test's own.

#include "cpu/faster_way.h"

#include <thread>
#include <vector>

#include "fakes/cases.h"

namespace onnx_acts {
namespace {

// One for each thread: what runs says how long it takes.
struct TestClock {
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<TestClock>;
  static time_point now() { return time_point(duration(ticks)); }
  static thread_local int64_t ticks;
};
thread_local int64_t TestClock::ticks = 0;

using Way = FasterWay<TestClock>;

// Runs once, in the time that the way takes; returns which it was.
bool RunOnce(Way& way, int64_t count, int64_t first_ticks, int64_t second_ticks) {
  bool taken = false;
  way.Run(count, [&](bool second) {
    taken = second;
    TestClock::ticks += second ? second_ticks : first_ticks;
  });
  return taken;
}

// How many of the runs to come take the second way.
int CountSecond(Way& way, int64_t count, int runs) {
  int found = 0;
  for (int i = 0; i < runs; ++i) found += RunOnce(way, count, 1, 1) ? 1 : 0;
  return found;
}

TEST(TriesBoth, "half of the trials take the one way, half the other") {
  Way way;
  int second = 0;
  for (int i = 0; i < Way::kTrials; ++i) second += RunOnce(way, 1000, 5, 7) ? 1 : 0;
  CHECK(second == Way::kTrials / 2, "%d of %d", second, Way::kTrials);
}

TEST(TakesTheFaster, "after the trials every run takes the way that was faster") {
  for (const bool second_is_faster : {false, true}) {
    Way way;
    for (int i = 0; i < Way::kTrials; ++i) {
      RunOnce(way, 1000, second_is_faster ? 700 : 500, second_is_faster ? 500 : 700);
    }
    const int found = CountSecond(way, 1000, 50);
    CHECK(found == (second_is_faster ? 50 : 0), "%d of 50", found);
  }
}

TEST(BestRunCounts, "runs that something else delayed do not decide") {
  Way way;
  for (int i = 0; i < Way::kTrials; ++i) RunOnce(way, 64, 700, i == 9 ? 500 : 90000);
  CHECK(CountSecond(way, 64, 20) == 20, "the second way was faster once");
}

TEST(EachSize, "sizes have choices of their own") {
  Way way;
  for (int i = 0; i < Way::kTrials; ++i) {
    RunOnce(way, 1000, 700, 500);
    RunOnce(way, int64_t{1} << 40, 500, 700);
  }
  CHECK(CountSecond(way, 1000, 20) == 20, "small");
  CHECK(CountSecond(way, 1023, 20) == 20, "as small");
  CHECK(CountSecond(way, int64_t{1} << 40, 20) == 0, "large");
  CHECK(CountSecond(way, 1024, Way::kTrials) == Way::kTrials / 2, "a new size is tried");
}

TEST(TimesAreOfElements, "counts of one size are compared by the time of an element") {
  Way way;
  for (int i = 0; i < Way::kTrials; ++i) {
    const bool is_second = i % 2 == 1;
    RunOnce(way, is_second ? 2047 : 1024, 1000, 1500);
  }
  CHECK(CountSecond(way, 1024, 20) == 20, "1500 for 2047 are less than 1000 for 1024");
}

TEST(Threads, "many threads choose together") {
  Way way;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int run = 0; run < 100; ++run) RunOnce(way, 4096, 700, 500);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(CountSecond(way, 4096, 20) == 20, "the second way is faster in each of them");
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
