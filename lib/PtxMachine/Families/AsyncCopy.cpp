#include "Families.h"
namespace ctc::ptx::CTC_PTX_LEVEL {
void addAsyncCopy(DecoderTable &) {}
} // namespace ctc::ptx::CTC_PTX_LEVEL
