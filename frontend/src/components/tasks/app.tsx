"use client";

import { ConnectionBanner } from "@/components/tasks/connection-banner";
import { Header } from "@/components/tasks/header";
import { QuickAdd } from "@/components/tasks/quick-add";
import { TaskList } from "@/components/tasks/task-list";
import { Toolbar } from "@/components/tasks/toolbar";
import { ApiProvider } from "@/hooks/api";
import { DeletionsProvider } from "@/hooks/deletions";
import { useFilters } from "@/hooks/filters";

type User = { id: string; name: string; email: string };

export function App({ backendUrl, user }: { backendUrl: string; user: User }) {
  return (
    <ApiProvider url={backendUrl} userId={user.id}>
      <DeletionsProvider>
        <Screen user={user} />
      </DeletionsProvider>
    </ApiProvider>
  );
}

function Screen({ user }: { user: User }) {
  const [filters, change, clear] = useFilters();
  return (
    <>
      <ConnectionBanner />
      <div className="mx-auto grid w-full max-w-3xl grid-cols-[minmax(0,1fr)] gap-4 px-4 pt-4 pb-24 sm:pt-6">
        <Header user={user} />
        <main className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <h1 className="sr-only">Your tasks</h1>
          <QuickAdd filters={filters} onClear={clear} />
          <Toolbar filters={filters} onChange={change} onClear={clear} />
          <TaskList filters={filters} onChange={change} onClear={clear} />
        </main>
      </div>
    </>
  );
}
