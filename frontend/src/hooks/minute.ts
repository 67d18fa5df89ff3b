import { useEffect, useState } from "react";

const MINUTE = 60_000; // milliseconds
const LOOK = 10_000;

/** When the present minute began, in milliseconds. It goes on while the page is open, and in step after a sleep. */
export function useMinute(): number {
  const [minute, setMinute] = useState(present);
  useEffect(() => {
    const look = () => setMinute(present);
    const timer = setInterval(look, LOOK);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return minute;
}

const present = () => Math.floor(Date.now() / MINUTE) * MINUTE;
