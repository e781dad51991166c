-- Argo CD's health of an AIWorkload: its conditions Ready, Reconciling and Stalled, read as kstatus reads them.

local function condition(kind)
  for _, each in ipairs(obj.status.conditions) do
    if each.type == kind then
      return each
    end
  end
  return {status = "Unknown", reason = "", message = ""}
end

local function is(status, message)
  return {status = status, message = message or ""}
end

if obj.status == nil or obj.status.conditions == nil then
  return is("Progressing", "the operator has not looked at it yet")
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return is("Progressing", "the operator has not looked at this generation yet")
end

local stalled, reconciling, ready = condition("Stalled"), condition("Reconciling"), condition("Ready")
if stalled.status == "True" then
  return is("Degraded", stalled.reason .. ": " .. stalled.message)
end
if reconciling.status == "True" then
  return is("Progressing", reconciling.message)
end
if ready.status ~= "True" then
  return is("Progressing", ready.message)
end
if ready.reason == "ScaledToZero" then
  return is("Suspended", ready.message)
end
return is("Healthy", ready.message)
