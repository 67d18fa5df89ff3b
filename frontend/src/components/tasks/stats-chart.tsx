import { useStats } from "@/hooks/stats";
import { cn } from "@/lib/utils";

/** Shows done, open and overdue tasks as one bar. */
export function StatsChart({ className }: { className?: string }) {
  const stats = useStats();
  if (!stats?.total) return <div className={className} />;
  const { total, pending, completed, overdue } = stats;
  const parts = [
    { label: "done", count: completed, color: "bg-success" },
    { label: "open", count: pending - overdue, color: "bg-primary" },
    { label: "overdue", count: overdue, color: "bg-danger" },
  ].filter(({ count }) => count > 0);
  return (
    <figure className={cn("grid gap-1.5", className)} aria-label="Statistics">
      <div className="flex h-2 gap-0.5 overflow-hidden rounded-full forced-color-adjust-none" aria-hidden>
        {parts.map(({ label, count, color }) => (
          <div
            key={label}
            className={cn("min-w-1 motion-safe:transition-all", color)}
            style={{ flexGrow: count / total }}
          />
        ))}
      </div>
      <figcaption className="flex flex-wrap gap-x-4 text-muted text-xs">
        {parts.map(({ label, count, color }) => (
          <span key={label} className="flex items-center gap-1.5">
            <span className={cn("size-2 rounded-full forced-color-adjust-none", color)} aria-hidden />
            <span>
              <span className="font-medium text-foreground tabular-nums">{count}</span> {label}
            </span>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
