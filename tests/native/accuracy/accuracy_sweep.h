// Sweeps over the inputs of the activations: who computes, over which inputs, with which findings.
// The loops of a `Target` need not be the CPU's: any functions of the same form can be swept.
#ifndef ONNX_ACTS_TESTS_ACCURACY_SWEEP_H_
#define ONNX_ACTS_TESTS_ACCURACY_SWEEP_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "cpu/loops.h"

namespace onnx_acts {

struct Target {
  std::string name;
  const Loops* loops;
};

struct Sweep {
  std::vector<Target> targets;  // the first is judged; all must give its bits
  uint64_t stride;              // one float32 of each run of so many bit patterns; a power of two
  unsigned threads;

  // Whether there is time for every check at every input.
  bool thin() const { return stride >= 64; }
};

// What was found for one operator, type and parameter.
struct Tally {
  uint64_t inputs = 0;
  uint64_t wrong = 0;  // results that lack the bits they must have: of any target, in body or tail
  double worst = 0;    // the largest error in units in the last place, where one is measured
  double at = 0;       // the x of it; of the last wrong result, if there is one

  void AddWrong(double x) {
    ++wrong;
    at = x;
  }

  void Add(const Tally& other) {
    const bool worse = other.wrong > 0 || (wrong == 0 && other.worst > worst);
    if (worse) at = other.at;
    worst = std::max(worst, other.worst);
    inputs += other.inputs;
    wrong += other.wrong;
  }
};

// A row of the report. `op` may name several operators that share a loop.
struct Record {
  std::string op, dtype, parameter, oracle;
  bool measured;  // whether tally.worst is a measurement; else the bits themselves were demanded
  Tally tally;
};

// Each prints its records as JSON lines and returns the number of wrong results.
uint64_t SweepLeakyFloat32(const Sweep& sweep);
uint64_t SweepEluFloat32(const Sweep& sweep);
uint64_t Sweep16Bit(const Sweep& sweep);

uint64_t Print(const Sweep& sweep, const Record& record);

std::string Number(double value);  // the shortest text of the float that `value` is close to

// body(index, state) for each index below `count`; every thread works on a state of its own, a copy
// of `start`. Returns the states.
template <class State, class Body>
std::vector<State> InParallel(uint64_t count, unsigned threads, const State& start,
                              const Body& body) {
  std::vector<State> states(threads, start);
  std::atomic<uint64_t> next{0};
  std::vector<std::thread> workers;
  for (State& state : states) {
    workers.emplace_back([&body, &next, &state, count] {
      for (uint64_t i = next++; i < count; i = next++) body(i, state);
    });
  }
  for (std::thread& worker : workers) worker.join();
  return states;
}

// call(start, size) for stretches of at most three elements: fewer than any vector has, so that
// each element is computed by the tail of a loop. One call for all of them goes through its body.
template <class Call>
void InShortCalls(int64_t n, const Call& call) {
  for (int64_t at = 0, size = 1; at < n; at += size, size = size % 3 + 1) {
    call(at, std::min(size, n - at));
  }
}

// Notes each element of `got` whose bits are not those of `want`.
template <class T>
void CompareBits(const T* x, const T* got, const T* want, int64_t n, Tally* tally) {
  if (std::memcmp(got, want, static_cast<std::size_t>(n) * sizeof(T)) == 0) return;
  for (int64_t i = 0; i < n; ++i) {
    if (std::memcmp(got + i, want + i, sizeof(T)) != 0) {
      tally->AddWrong(static_cast<double>(x[i]));
    }
  }
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_TESTS_ACCURACY_SWEEP_H_
