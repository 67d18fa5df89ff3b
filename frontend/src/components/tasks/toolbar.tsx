import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { SEARCH } from "@/components/tasks/shortcuts";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/field";
import { type FilterChange, type Filters, isNarrowed, MAX_SEARCH, PRIORITY_NAMES, type Sort } from "@/lib/filters";

const SEARCH_DELAY = 200; // milliseconds from the last key press to the search

const SORT_NAMES: Record<Sort, string> = {
  newest: "Newest first",
  oldest: "Oldest first",
  changed: "Last changed",
  due: "Due date",
  priority: "Priority",
  title: "Title",
};

type Props = { filters: Filters; onChange: (change: FilterChange) => void; onClear: () => void };

export function Toolbar({ filters, onChange, onClear }: Props) {
  const toolbar = useRef<HTMLElement>(null);
  const [cleared, setCleared] = useState(0); // how often; a new key discards text that was not searched for yet

  /** Moves the focus to the toolbar, because the button disappears with the filter that it clears. */
  function clearAndRefocus(clear: () => void) {
    clear();
    toolbar.current?.focus();
  }

  return (
    <search ref={toolbar} tabIndex={-1} className="grid grid-cols-2 gap-2 outline-none sm:grid-cols-4">
      <SearchField key={cleared} value={filters.search ?? ""} onChange={(search) => onChange({ search })} />
      <Choice
        label="Status"
        value={filters.status}
        onChange={(status) => onChange({ status })}
        options={{ pending: "Open", completed: "Done" }}
        all="Any status"
      />
      <Choice
        label="Priority"
        value={filters.priority}
        onChange={(priority) => onChange({ priority })}
        options={PRIORITY_NAMES}
        all="Any priority"
      />
      <Choice
        label="Due"
        value={filters.due}
        onChange={(due) => onChange({ due })}
        options={{ overdue: "Overdue", today: "Due today", week: "Next 7 days" }}
        all="Any due date"
      />
      <Choice
        label="Order"
        value={filters.sort}
        onChange={(sort) => onChange({ sort: sort ?? "newest" })}
        options={SORT_NAMES}
      />
      {isNarrowed(filters) && (
        <div className="col-span-full flex items-center gap-2 text-sm">
          {filters.category && (
            <Button
              variant="secondary"
              size="small"
              onClick={() => clearAndRefocus(() => onChange({ category: undefined }))}
            >
              #{filters.category}
              <X aria-label="Remove filter" />
            </Button>
          )}
          <Button
            variant="quiet"
            size="small"
            onClick={() =>
              clearAndRefocus(() => {
                setCleared(cleared + 1);
                onClear();
              })
            }
          >
            Clear filters
          </Button>
        </div>
      )}
    </search>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const applied = useRef(value);

  useEffect(() => {
    if (value === applied.current) return;
    applied.current = value; // changed from outside, such as by a button that clears the filters
    setText(value);
  }, [value]);

  useEffect(() => {
    if (text === applied.current) return;
    const timer = setTimeout(() => {
      applied.current = text;
      onChange(text);
    }, SEARCH_DELAY);
    return () => clearTimeout(timer);
  }, [text, onChange]);

  return (
    <div className="relative col-span-full">
      <Search className="pointer-events-none absolute top-3 left-3 size-4 text-muted" aria-hidden />
      <Input
        id={SEARCH}
        type="search"
        aria-label="Search"
        maxLength={MAX_SEARCH}
        placeholder="Search titles and descriptions"
        className="pl-9"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </div>
  );
}

function Choice<T extends string>({
  label,
  value,
  onChange,
  options,
  all,
}: {
  label: string;
  value: T | undefined;
  onChange: (value: T | undefined) => void;
  options: Record<T, string>;
  all?: string;
}) {
  return (
    <Select
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange((Object.keys(options) as T[]).find((option) => option === event.target.value))}
    >
      {all && <option value="">{all}</option>}
      {(Object.keys(options) as T[]).map((option) => (
        <option key={option} value={option}>
          {options[option]}
        </option>
      ))}
    </Select>
  );
}
