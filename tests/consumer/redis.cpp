// A store on Redis, as far as somebody without a provider comes.

#include <lockstep/config.hpp>
#include <lockstep/epoll.hpp>
#include <lockstep/redis.hpp>

int main() {
  const auto loop = lockstep::epoll::make_loop();
  const auto config = lockstep::ConfigBuilder::server(lockstep::Provider{}).build();
  if (!loop || !config) return 0;
  return lockstep::redis::Store::create(**loop, **config, nullptr, {}).has_value() ? 1 : 0;
}
