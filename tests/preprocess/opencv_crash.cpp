// Preloaded, this replaces cv::imdecode and ends the process with the signal whose number GAN_CRASH_SIGNAL gives, as a
// bug in a decoder would.
#include <csignal>
#include <cstdlib>

extern "C" void GanCrash() __asm__("_ZN2cv8imdecodeERKNS_11_InputArrayEi");

void GanCrash() {
  const char* number = std::getenv("GAN_CRASH_SIGNAL");
  if (number != nullptr) std::raise(std::atoi(number));
  std::abort();
}
