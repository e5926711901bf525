// The accuracy of the CPU's loops at every instruction-set level that this processor has.
//
//   accuracy_sweep leaky STRIDE    float32, the leaky family; one of STRIDE inputs
//   accuracy_sweep elu STRIDE      float32, ELU, family by family
//   accuracy_sweep 16bit           float16 and bfloat16, every input and operator
//   accuracy_sweep families        the levels that must give the same bits, a line each
//
//   accuracy_sweep apply LEVELS OP TYPE PARAMETER < X > Y
//                                  computes elements at the levels, which must agree
//
// The sweeps print JSON lines; the exit status is 1 if any result is wrong. Errors in units in the
// last place are only measured here: accuracy.py holds them against the promises.

#include "accuracy/accuracy_sweep.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include "cpu/x86_levels.h"

namespace onnx_acts {

#define ONNX_ACTS_LEVEL(name, table, supported) extern const Loops table;
#include "levels.inc"
#undef ONNX_ACTS_LEVEL

namespace {

// Best first.
std::vector<Target> SupportedLevels() {
  std::vector<Target> levels;
#define ONNX_ACTS_LEVEL(name, table, supported) \
  if ((supported) != 0) levels.push_back({name, &table});
#include "levels.inc"
#undef ONNX_ACTS_LEVEL
  std::reverse(levels.begin(), levels.end());
  return levels;
}

// Levels with and without a fused multiply-add; those that there are.
std::vector<std::vector<Target>> Families() {
  std::vector<Target> fused, other;
  for (const Target& target : SupportedLevels()) {
    (target.loops->fused ? fused : other).push_back(target);
  }
  std::vector<std::vector<Target>> families = {fused, other};
  families.erase(std::remove_if(families.begin(), families.end(),
                                [](const std::vector<Target>& family) { return family.empty(); }),
                 families.end());
  return families;
}

std::string Names(const std::vector<Target>& targets) {
  std::string names;
  for (const Target& target : targets) names += (names.empty() ? "" : " ") + target.name;
  return names;
}

// The levels of a text like "v4 v3".
std::vector<Target> LevelsFrom(const std::string& text) {
  std::vector<Target> levels;
  for (const Target& target : SupportedLevels()) {
    if ((" " + text + " ").find(" " + target.name + " ") != std::string::npos) {
      levels.push_back(target);
    }
  }
  if (Names(levels) != text) {
    throw std::invalid_argument("LEVELS must be from: " + Names(SupportedLevels()));
  }
  return levels;
}

template <class T>
std::vector<T> ReadAll(std::FILE* file) {
  std::vector<T> values, chunk(65536);
  for (;;) {
    const std::size_t n = std::fread(chunk.data(), sizeof(T), chunk.size(), file);
    values.insert(values.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
    if (n < chunk.size()) return values;
  }
}

// One way to compute elements [at, at + n).
using Call = std::function<void(int64_t at, int64_t n)>;

// The ways in which one level computes an operator; PReLU, in float64, has two.
template <class T>
std::vector<Call> WaysToCompute(const Loops* loops, const std::string& op, Element element,
                                const T* x, const std::vector<double>& slopes, T* y) {
  const ElementLoops& own = loops->Of(element);
  const double* slope = slopes.data();
  if (op == "PReLU" && element == Element::kFloat64) {
    const auto one = own.one_slope, each = own.each_slope;
    return {[=](int64_t at, int64_t n) { one(x + at, slope, y + at, n); },
            [=](int64_t at, int64_t n) { each(x + at, slope + at, y + at, n); }};
  }
  for (const OpSpec& spec : kOps) {
    if (op != spec.name || spec.source == Source::kInput) continue;
    const auto run = own.uniform[static_cast<int>(spec.functor)];
    return {[=](int64_t at, int64_t n) { run(x + at, y + at, n, *slope); }};
  }
  throw std::invalid_argument("no operator " + op + " of one parameter");
}

// Reads elements and writes the results, if all levels agree on them in body and tail.
template <class T>
uint64_t Apply(const Sweep& sweep, const std::string& op, Element element, double parameter) {
  const std::vector<T> x = ReadAll<T>(stdin);
  const auto n = static_cast<int64_t>(x.size());
  const std::vector<double> slopes(x.size() + 1, parameter);
  std::vector<T> y(x.size()), first;
  Tally tally;
  for (const Target& target : sweep.targets) {
    for (const Call& call : WaysToCompute(target.loops, op, element, x.data(), slopes, y.data())) {
      call(0, n);
      if (first.empty()) first = y;
      CompareBits(x.data(), y.data(), first.data(), n, &tally);
      std::fill(y.begin(), y.end(), T(77));
      InShortCalls(n, call);
      CompareBits(x.data(), y.data(), first.data(), n, &tally);
    }
  }
  if (tally.wrong != 0) {
    std::fprintf(stderr, "%s(%.17g), parameter %.17g: levels, body and tail do not agree\n",
                 op.c_str(), tally.at, parameter);
  }
  return tally.wrong + x.size() - std::fwrite(first.data(), sizeof(T), x.size(), stdout);
}

uint64_t Apply(const Sweep& sweep, const std::string& op, const std::string& type,
               double parameter) {
  if (type == "float16") return Apply<uint16_t>(sweep, op, Element::kFloat16, parameter);
  if (type == "bfloat16") return Apply<uint16_t>(sweep, op, Element::kBFloat16, parameter);
  if (type == "float32") return Apply<float>(sweep, op, Element::kFloat32, parameter);
  if (type == "float64") return Apply<double>(sweep, op, Element::kFloat64, parameter);
  throw std::invalid_argument("no element type " + type);
}

uint64_t StrideFrom(const std::string& text) {
  const uint64_t stride = std::stoull(text);
  if (stride == 0 || (stride & (stride - 1)) != 0 || stride > 65536) {
    throw std::invalid_argument("STRIDE must be a power of two up to 65536");
  }
  return stride;
}

uint64_t SweepFamilies(Sweep sweep) {
  uint64_t wrong = 0;
  for (const std::vector<Target>& family : Families()) {
    sweep.targets = family;
    wrong += SweepEluFloat32(sweep);
  }
  return wrong;
}

uint64_t Run(const std::vector<std::string>& arguments) {
  Sweep sweep = {SupportedLevels(), 1, std::max(1u, std::thread::hardware_concurrency())};
  const std::string command = arguments.empty() ? "" : arguments[0];
  if (command == "16bit" && arguments.size() == 1) return Sweep16Bit(sweep);
  if (command == "families" && arguments.size() == 1) {
    for (const std::vector<Target>& family : Families()) std::puts(Names(family).c_str());
    return 0;
  }
  if (command == "apply" && arguments.size() == 5) {
    sweep.targets = LevelsFrom(arguments[1]);
    return Apply(sweep, arguments[2], arguments[3], std::strtod(arguments[4].c_str(), nullptr));
  }
  if (arguments.size() != 2 || (command != "leaky" && command != "elu")) {
    throw std::invalid_argument(
        "usage: accuracy_sweep leaky|elu STRIDE, 16bit, families, apply LEVELS OP TYPE PARAMETER");
  }
  sweep.stride = StrideFrom(arguments[1]);
  return command == "leaky" ? SweepLeakyFloat32(sweep) : SweepFamilies(sweep);
}

}  // namespace

std::string Number(double value) {
  char text[40];
  for (int digits = 1; digits <= 9; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (static_cast<float>(std::strtod(text, nullptr)) == static_cast<float>(value)) break;
  }
  return text;
}

uint64_t Print(const Sweep& sweep, const Record& record) {
  const Tally& tally = record.tally;
  std::printf("{\"op\": \"%s\", \"dtype\": \"%s\", \"parameter\": \"%s\", \"inputs\": %llu, ",
              record.op.c_str(), record.dtype.c_str(), record.parameter.c_str(),
              static_cast<unsigned long long>(tally.inputs));
  std::printf("\"oracle\": \"%s\", \"level\": \"%s\", \"wrong\": %llu, ", record.oracle.c_str(),
              Names(sweep.targets).c_str(), static_cast<unsigned long long>(tally.wrong));
  const bool found = record.measured || tally.wrong != 0;
  std::printf("\"worst\": %s, \"at\": %s}\n",
              record.measured ? std::to_string(tally.worst).c_str() : "null",
              found ? ("\"" + Number(tally.at) + "\"").c_str() : "null");
  return tally.wrong;
}

}  // namespace onnx_acts

int main(int argc, char** argv) {
  try {
    return onnx_acts::Run({argv + 1, argv + argc}) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accuracy_sweep: %s\n", error.what());
    return 2;
  }
}
