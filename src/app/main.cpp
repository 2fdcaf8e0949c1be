#include "app/command_line.h"

int main(int argc, char** argv) {
  return tenken::app::run(argc, argv);
}
