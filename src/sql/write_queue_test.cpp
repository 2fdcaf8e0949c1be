#include "sql/write_queue.h"

#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tenken::sql {
namespace {

using namespace std::chrono_literals;

TEST(WriteQueueTest, whose_turn_does_not_come_in_time_is_told_so_and_holds_nobody_up) {
  const auto queue = std::make_shared<WriteQueue>();
  auto first = queue->enter(0ms);
  ASSERT_TRUE(first);
  EXPECT_FALSE(queue->enter(1ms));
  auto third = std::async(std::launch::async, [&] { return queue->enter(10s).has_value(); });
  first.reset();
  EXPECT_TRUE(third.get());
  EXPECT_TRUE(queue->enter(0ms));
}

TEST(WriteQueueTest, turns_come_in_the_order_in_which_they_were_asked_for) {
  const auto queue = std::make_shared<WriteQueue>();
  auto held = queue->enter(0ms);
  ASSERT_TRUE(held);
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto turn = queue->enter(10s);
      const std::lock_guard lock(mutex);
      order.push_back(i);
    });
    while (queue->waiting() < static_cast<std::size_t>(i) + 1) std::this_thread::yield();
  }
  held.reset();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
}

}  // namespace
}  // namespace tenken::sql
