import { useEffect, useState } from "react";

const MINUTE = 60_000; // milliseconds
const CHECK_INTERVAL = 10_000;

/** The start of the current minute, in milliseconds. It stays current on an open page, also after the device sleeps. */
export function useMinute(): number {
  const [minute, setMinute] = useState(currentMinute);
  useEffect(() => {
    const update = () => setMinute(currentMinute);
    const timer = setInterval(update, CHECK_INTERVAL);
    document.addEventListener("visibilitychange", update);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", update);
    };
  }, []);
  return minute;
}

const currentMinute = () => Math.floor(Date.now() / MINUTE) * MINUTE;
