#include "Families.h"
namespace ctc::ptx::CTC_PTX_LEVEL {
void addIntegerBits(DecoderTable &) {}
} // namespace ctc::ptx::CTC_PTX_LEVEL
