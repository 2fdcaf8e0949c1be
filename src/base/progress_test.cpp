#include "base/progress.h"

#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/width.h"

namespace tenken {
namespace {

TEST(Progress, LineShowsAmountShareRateAndWhatIsLeft) {
  EXPECT_EQ(
      progress_line({.label = "osv", .done = 1'000'000, .total = 4'000'000, .seconds = 2}, 80),
      "osv  1.0 MB / 4.0 MB  25 %  500.0 kB/s  ETA 0:06");
  EXPECT_EQ(
      progress_line(
          {.label = "build", .unit = "records", .done = 30, .total = 7'230, .seconds = 15}, 80),
      "build  30 / 7230 records  0 %  2 records/s  ETA 1:00:00");
}

TEST(Progress, WithoutATotalNothingIsPromised) {
  EXPECT_EQ(progress_line({.label = "kev", .done = 2'500, .seconds = 1}, 80),
            "kev  2.5 kB  2.5 kB/s");
}

TEST(Progress, WhatWasThereBeforeCountsForNoRate) {
  EXPECT_EQ(
      progress_line(
          {.label = "a", .done = 900'000, .done_before = 800'000, .total = 1'000'000, .seconds = 1},
          80),
      "a  900.0 kB / 1.0 MB  90 %  100.0 kB/s  ETA 0:01");
}

TEST(Progress, LineNeverExceedsTheTerminal) {
  const ProgressState state{.label = "osv BellSoft Hardened Containers/all.zip",
                            .done = 123'456'789,
                            .total = 999'999'999,
                            .seconds = 7};
  for (std::size_t columns = 1; columns < 120; ++columns)
    EXPECT_LE(display_width(progress_line(state, columns)), columns) << columns;
}

TEST(Progress, WritesNothingWhereThereIsNoTerminal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    Progress progress(ends[1]);
    progress.begin("label", 10);
    std::thread other([&] { progress.advance(5); });
    progress.advance(5);
    other.join();
  }
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  ::close(ends[0]);
}

TEST(Progress, BytesAreRoundedToOneDigit) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1'000), "1.0 kB");
  EXPECT_EQ(format_bytes(999'960), "1.0 MB");
  EXPECT_EQ(format_bytes(18'446'744'073'709'551'615U), "18446.7 PB");
}

}  // namespace
}  // namespace tenken
