#include "cpu/results_table.h"

#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <tuple>

namespace onnx_acts {
namespace {

// The parameter by its bits: NaN is a key, too, and -0 another one than 0.
using Key = std::tuple<Element, Functor, uint64_t>;

Key KeyOf(Element element, Functor functor, double parameter) {
  uint64_t bits;
  static_assert(sizeof bits == sizeof parameter);
  std::memcpy(&bits, &parameter, sizeof bits);
  return {element, functor, bits};
}

ResultsTable Filled(const ElementLoops& loops, Functor functor, double parameter) {
  ResultsTable all(65536), results(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  loops.uniform[static_cast<int>(functor)](all.data(), results.data(),
                                           static_cast<int64_t>(all.size()), parameter);
  return results;
}

// Those of the process, which has one level of loops.
class Tables {
 public:
  std::shared_ptr<const ResultsTable> Find(const Key& key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = tables_.find(key);
    return found == tables_.end() ? nullptr : found->second.lock();
  }

  // The table that others have already, if another thread was faster.
  std::shared_ptr<const ResultsTable> Keep(const Key& key,
                                           std::shared_ptr<const ResultsTable> table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Those that are gone would pile up in a process that opens sessions for ever.
    for (auto entry = tables_.begin(); entry != tables_.end();) {
      entry = entry->second.expired() ? tables_.erase(entry) : std::next(entry);
    }
    const auto entry = tables_.emplace(key, table).first;
    const std::shared_ptr<const ResultsTable> first = entry->second.lock();
    return first == nullptr ? table : first;
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<const ResultsTable>> tables_;
};

}  // namespace

std::shared_ptr<const ResultsTable> TableOf(const Loops& loops, Element element, Functor functor,
                                            double parameter) {
  static Tables tables;
  const Key key = KeyOf(element, functor, parameter);
  std::shared_ptr<const ResultsTable> known = tables.Find(key);
  if (known != nullptr) return known;
  // Filled without the lock, which a process that forks meanwhile would inherit locked.
  return tables.Keep(
      key, std::make_shared<const ResultsTable>(Filled(loops.Of(element), functor, parameter)));
}

}  // namespace onnx_acts
