// Nodes that are alike share a table of 16-bit results.

#include "cpu/results_table.h"

#include <limits>
#include <thread>

#include "cpu/isa.h"
#include "fakes/cases.h"

namespace onnx_acts {
namespace {

std::shared_ptr<const ResultsTable> Elu(double alpha, Element element = Element::kFloat16) {
  return TableOf(*ChooseIsa().loops, element, Functor::kElu, alpha);
}

TEST(Shared, "one table for one functor, parameter and element type") {
  const auto table = Elu(0.5);
  CHECK(Elu(0.5) == table, "another one for the same");
  CHECK(Elu(0.25) != table && Elu(-0.5) != table, "the same one for another alpha");
  CHECK(Elu(0.5, Element::kBFloat16) != table, "the same one for another type");
  CHECK(Elu(0.0) != Elu(-0.0), "the same one for -0");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto of_nan = Elu(nan);
  CHECK(Elu(nan) == of_nan, "another one for NaN");
}

TEST(Filled, "it holds the functor's results") {
  const auto table = Elu(0.5);
  CHECK(table->size() == 65536, "%zu", table->size());
  CHECK((*table)[0x3c00] == 0x3c00, "1: %04x", (*table)[0x3c00]);
  CHECK((*table)[0xfc00] == 0xb800, "-inf: %04x", (*table)[0xfc00]);
}

TEST(Freed, "it goes with the last node") {
  std::weak_ptr<const ResultsTable> table = Elu(0.5);
  CHECK(table.expired(), "still there");
  CHECK((*Elu(0.5))[0x3c00] == 0x3c00, "a new one");
}

TEST(Threads, "many threads get one") {
  std::shared_ptr<const ResultsTable> tables[8];
  {
    std::vector<std::thread> threads;
    for (auto& table : tables) threads.emplace_back([&table] { table = Elu(0.125); });
    for (std::thread& thread : threads) thread.join();
  }
  for (const auto& table : tables) CHECK(table == tables[0], "another one");
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
