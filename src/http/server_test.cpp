#include "http/server.h"

#include <gtest/gtest.h>

#include "http/test_client.h"

namespace tenken::http {
namespace {

using test::Client;
using test::get;

TEST(Server, answers) {
  auto server = Server::start({.handler = [](const Request& request) {
    return Response{.status = 200, .body = request.target};
  }});
  ASSERT_TRUE(server.has_value()) << server.error().what;
  Client client((*server)->port());
  const auto response = client.ask(get("/x"));
  EXPECT_EQ(test::body_of(response), "/x") << response;
  EXPECT_EQ(test::body_of(client.ask(get("/y"))), "/y");
}

}  // namespace
}  // namespace tenken::http
