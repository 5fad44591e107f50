#include "Families.h"
namespace ctc::ptx::CTC_PTX_LEVEL {
void addAtomic(DecoderTable &) {}
} // namespace ctc::ptx::CTC_PTX_LEVEL
