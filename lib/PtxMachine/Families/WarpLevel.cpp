#include "Families.h"
namespace ctc::ptx::CTC_PTX_LEVEL {
void addWarpLevel(DecoderTable &) {}
} // namespace ctc::ptx::CTC_PTX_LEVEL
