import { CircleAlert, CloudOff, ListTodo, SearchX } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";

export function Skeleton() {
  return (
    <div role="status" aria-label="Loading your tasks" className="divide-y rounded-2xl border bg-surface">
      {["w-3/5", "w-2/5", "w-1/2", "w-2/3", "w-1/3", "w-1/2"].map((width, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
        <div key={index} className="flex h-16 motion-safe:animate-pulse items-center gap-3 px-4">
          <div className="size-6 rounded-full bg-raised" />
          <div className={`h-4 rounded bg-raised ${width}`} />
        </div>
      ))}
    </div>
  );
}

function State({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-2 rounded-2xl border bg-surface px-6 py-14 text-center [&>svg]:size-9 [&>svg]:text-muted">
      {icon}
      <h2 className="mt-2 font-semibold">{title}</h2>
      <div className="grid max-w-sm justify-items-center gap-4 text-muted text-sm">{children}</div>
    </div>
  );
}

export function NoTasks() {
  return (
    <State icon={<ListTodo aria-hidden />} title="Nothing to do yet">
      <p>
        Type a task above and press Enter. You can add a day (“tomorrow 5pm”), a priority (“!high”) and a category
        (“#home”).
      </p>
    </State>
  );
}

export function NothingFound({ onClear }: { onClear: () => void }) {
  return (
    <State icon={<SearchX aria-hidden />} title="No task matches">
      <p>Try another search, or clear the filters.</p>
      <Button onClick={onClear}>Clear search and filters</Button>
    </State>
  );
}

export function Offline() {
  return (
    <State icon={<CloudOff aria-hidden />} title="You’re offline">
      <p>Your tasks will load when you’re back online.</p>
    </State>
  );
}

export function LoadError({ error, onRetry, compact }: { error: Error; onRetry: () => void; compact: boolean }) {
  if (compact) {
    return (
      <div
        role="alert"
        className="flex items-center gap-3 rounded-2xl border border-danger/40 bg-danger/10 px-4 py-3 text-sm"
      >
        <CircleAlert className="size-5 shrink-0 text-danger" aria-hidden />
        <p className="flex-1">{error.message} The list may be out of date.</p>
        <Button size="small" onClick={onRetry}>
          Retry
        </Button>
      </div>
    );
  }
  return (
    <div role="alert">
      <State icon={<CircleAlert aria-hidden />} title="Couldn’t load your tasks">
        <p>{error.message}</p>
        <Button onClick={onRetry}>Retry</Button>
      </State>
    </div>
  );
}
