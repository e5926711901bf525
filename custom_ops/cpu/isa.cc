#include "cpu/isa.h"

#include <cstdlib>

#include "cpu/x86_levels.h"

namespace onnx_acts {

// The tables of loop_cpu.cc. CMake writes levels.inc, lowest level first:
// ONNX_ACTS_LEVEL(name, table, whether this processor has it)
#define ONNX_ACTS_LEVEL(name, table, supported) extern const Loops table;
#include "levels.inc"
#undef ONNX_ACTS_LEVEL

namespace {

struct Level {
  const char* name;
  const Loops* loops;
  bool supported;
};

std::vector<Level> LevelsLowestFirst() {
  return {
#define ONNX_ACTS_LEVEL(name, table, supported) {name, &table, (supported) != 0},
#include "levels.inc"
#undef ONNX_ACTS_LEVEL
  };
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

IsaChoice Refuse(const std::string& error) { return {nullptr, "", error}; }

IsaChoice BestLevel() {
  IsaChoice best = Refuse(
      "this processor has none of the instruction-set levels that this onnx_acts was built for (" +
      Listed(CompiledLevels()) +
      "); build it here from its source archive: pip install --no-binary onnx-acts onnx-acts");
  for (const Level& level : LevelsLowestFirst()) {
    if (level.supported) best = {level.loops, level.name, ""};
  }
  return best;
}

IsaChoice ForcedLevel(const std::string& wanted) {
  for (const Level& level : LevelsLowestFirst()) {
    if (wanted != level.name) continue;
    if (level.supported) return {level.loops, level.name, ""};
    return Refuse("ONNX_ACTS_ISA=" + wanted +
                  ": this processor lacks that instruction-set level; " +
                  "name a lower one or unset the variable");
  }
  return Refuse("ONNX_ACTS_ISA=" + wanted + ": no such instruction-set level; expected one of " +
                Listed(CompiledLevels()) + ", or unset the variable");
}

}  // namespace

const IsaChoice& ChooseIsa() {
  static const char* const forced = std::getenv("ONNX_ACTS_ISA");
  static const IsaChoice choice =
      forced == nullptr || *forced == '\0' ? BestLevel() : ForcedLevel(forced);
  return choice;
}

std::vector<std::string> CompiledLevels() {
  std::vector<std::string> names;
  for (const Level& level : LevelsLowestFirst()) names.push_back(level.name);
  return names;
}

}  // namespace onnx_acts
