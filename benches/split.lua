-- The split alone, as a Lua filter would do it: hash one header, name the cluster. No stats.
function envoy_on_request(handle)
  local headers = handle:headers()
  local key = headers:get("x-user-id")
  if key == nil then
    return
  end
  local hash = 5381
  for i = 1, #key do
    hash = (hash * 33 + key:byte(i)) % 4294967296
  end
  local color = hash % 100 < 50 and "green" or "blue"
  headers:replace("x-bluegreen-cluster", color)
end
